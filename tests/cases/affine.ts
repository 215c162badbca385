import { affine, PASSES, SCALE_NUMBER } from '../../src/kernels/affine.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';

type ScaleKind = keyof typeof SCALE_NUMBER;

/** Constants that each kind of scale reads, as libraries set them. */
export const SCALE_CONSTANTS: Record<ScaleKind, { EPS?: number; OFFSET?: number; LOW?: number; HIGH?: number }> = {
  none: {},
  exp: {},
  softplus: { EPS: 1e-3 },
  sigmoid: { OFFSET: 2, EPS: 1e-3 },
  'softplus-clamped': { EPS: 1e-3, HIGH: 3 },
  softclip: { HIGH: Math.log(1000) },
  tanh: { HIGH: 2 },
  clamp: { LOW: -5, HIGH: 3 },
  'reciprocal-sigmoid': { OFFSET: 2 },
};
export const SCALE_KINDS = Object.keys(SCALE_NUMBER) as ScaleKind[];
/** A mixture knows of the scale its value alone: without one, unbounded, bounded, clamped. */
export const MIXED_KINDS = ['none', 'exp', 'sigmoid', 'softclip'] as const;

/** An interpolated layer, or its inverse. */
export const mixConstants = (mixed: { readonly mix: number; readonly back: boolean } | undefined) => {
  const mix = Math.fround(mixed?.mix ?? 1);
  return { MIX: mix, REST: 1 - mix, BACK: mixed?.back ?? false };
};

/** Every third feature passes; the slots of the others are in random order. @param placed with places of the results behind them. */
export const slotTable = (features: number, slots: number, placed: boolean) =>
  table((random) => {
    const order = random.permutation(slots);
    const own = Array.from({ length: features }, (_, f) => (f % 3 === 2 ? PASSES : order.pop()!));
    return Uint32Array.from([...own, ...(placed ? random.permutation(features) : [])]);
  });

const transform = (
  features: number,
  rows: number,
  scale: ScaleKind,
  undo: boolean,
  logDet = true,
  mixed?: { mix: number; back: boolean },
  placed = false,
) => {
  const slots = features - Math.floor(features / 3);
  const parameters = scale === 'none' ? slots : 2 * slots;
  return {
    name: `${features} features, ${rows} rows, ${scale}${undo ? ', undone' : ''}${logDet ? '' : ', no log-det'}${mixed ? `, mix ${mixed.mix}${mixed.back ? ' back' : ''}` : ''}${placed ? ', placed' : ''}`,
    rows,
    params: { features, slots, parameter_features: parameters },
    constants: {
      ...SCALE_CONSTANTS[scale],
      SCALE: SCALE_NUMBER[scale],
      UNDO: undo,
      HAS_LOG_DET: logDet,
      PLACED: placed,
      ...mixConstants(mixed),
    },
    buffers: {
      x: tiledNormals(features),
      parameters: tiledNormals(parameters),
      slot: slotTable(features, slots, placed),
      y: tiledNormals(features),
      log_terms: tiledNormals(slots),
    },
    tolerance: { bound: 1e-6 },
  };
};

export const affineCases = defineCases(affine, [
  ...ROWS.map((rows) => transform(5, rows, 'exp', false)),
  ...[1, 2, 63].map((features) => transform(features, 257, 'exp', true)),
  ...SCALE_KINDS.flatMap((scale) => [false, true].map((undo) => transform(5, 1000, scale, undo))),
  transform(5, 257, 'tanh', false, false),
  ...[1, 2, 5, 63].map((features) => transform(features, 257, 'exp', true, true, undefined, true)),
  ...MIXED_KINDS.flatMap((scale) =>
    [false, true].flatMap((undo) => [false, true].map((back) => transform(5, 257, scale, undo, true, { mix: 0.3, back }))),
  ),
  ...[0.999, 0.001].flatMap((mix) =>
    [false, true].flatMap((undo) => [false, true].map((back) => transform(5, 257, 'exp', undo, true, { mix, back }))),
  ),
]);
