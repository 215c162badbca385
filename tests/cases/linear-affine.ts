import { SCALE_NUMBER } from '../../src/kernels/affine.js';
import { linearAffine } from '../../src/kernels/linear-affine.js';
import { packForQuads } from '../../src/tuning/quad-layers.js';
import type { Random } from '../support/random.js';
import { mixConstants, SCALE_CONSTANTS } from './affine.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';
import { packed } from './masked-linear.js';

/** A linear layer and the affine transformer behind it. */
export interface AffineLayer {
  readonly inputs: number;
  readonly slots: number;
  /** Features in all. Default: as many as slots. */
  readonly features?: number;
  readonly rows?: number;
  readonly scale?: keyof typeof SCALE_NUMBER;
  readonly undo?: boolean;
  readonly masked?: boolean;
  /** Features in front of x in its tensor. */
  readonly at?: number;
  readonly mixed?: { readonly mix: number; readonly back: boolean };
}

/** Behind ranges, random features that are read and written, as the kernels want them. */
export const withPlaces = (random: Random, ranges: Uint32Array, features: number): Uint32Array<ArrayBuffer> => {
  const [from, to] = [random.permutation(features), random.permutation(features)];
  return Uint32Array.from([...ranges, ...Array.from(from, (f, i) => [f, to[i]!]).flat()]);
};

interface Shape extends AffineLayer {
  readonly keeps?: boolean;
  readonly logDet?: boolean;
  readonly first?: boolean;
  /** Whether weights are packed for quads. */
  readonly packs?: boolean;
}

/** Parameters of unit size, and log-scales up to 4 of them. */
const layer = (shape: Shape) => {
  const { inputs, slots, features = slots, rows = 257, scale = 'exp', undo = false, masked = false, at = 0 } = shape;
  const { keeps = true, logDet = true, first = false, packs = false, mixed } = shape;
  const outputs = (scale === 'none' ? 1 : 2) * slots;
  const packedOf = (random: Random) => packed(random, { inputs, outputs, masked });
  return {
    name: [
      `${inputs}→${outputs}, ${slots} of ${features} features, ${rows} rows, ${scale}`,
      ...(undo ? ['undone'] : []),
      ...(masked ? ['masked'] : []),
      ...(at ? [`from ${at}`] : []),
      ...(keeps ? [] : ['nothing kept']),
      ...(logDet ? [] : ['no log-det']),
      ...(first ? ['first'] : []),
      ...(packs ? ['packed'] : []),
      ...(mixed ? [`mix ${mixed.mix}${mixed.back ? ' back' : ''}`] : []),
    ].join(', '),
    rows,
    params: { inputs, outputs, x_features: inputs + 2 * at, x_at: at, y_features: outputs + 2 * at, y_at: at, features, slots },
    constants: {
      ...SCALE_CONSTANTS[scale],
      SCALE: SCALE_NUMBER[scale],
      UNDO: undo,
      HAS_LOG_DET: logDet,
      FIRST: first,
      KEEP: keeps,
      PACKED: packs,
      ...mixConstants(mixed),
    },
    buffers: {
      x: tiledNormals(inputs + 2 * at),
      weight: table((random) => {
        const { weight } = packedOf(random);
        return packs ? packForQuads(weight, inputs, outputs) : weight;
      }),
      bias: table((random) => packedOf(random).bias),
      ranges: table((random) => withPlaces(random, packedOf(random).ranges, features)),
      value: tiledNormals(features),
      y: tiledNormals(features),
      total: tiledNormals(1),
      p: tiledNormals(outputs + 2 * at),
    },
    // As narrow-net-affine.ts: rounding of the parameters, through e^u.
    tolerance: { bound: 2e-5 },
  };
};

export const linearAffineCases = defineCases(linearAffine, [
  ...ROWS.map((rows) => layer({ inputs: 20, slots: 5, features: 8, rows })),
  ...ROWS.map((rows) => layer({ inputs: 70, slots: 21, rows, masked: true, undo: true })),
  layer({ inputs: 1, slots: 1 }),
  layer({ inputs: 9, slots: 2, features: 3, packs: true }),
  layer({ inputs: 70, slots: 2, features: 5, scale: 'none' }),
  layer({ inputs: 64, slots: 63, features: 64 }),
  layer({ inputs: 150, slots: 64, features: 130, keeps: false, packs: true }),
  layer({ inputs: 200, slots: 60, masked: true, keeps: false, packs: true }),
  layer({ inputs: 30, slots: 10, features: 12, at: 3 }),
  layer({ inputs: 30, slots: 10, features: 12, logDet: false }),
  layer({ inputs: 30, slots: 10, features: 12, first: true }),
  // The transformer alone has its cases in affine.ts.
  ...(['none', 'tanh', 'softplus'] as const).map((scale) =>
    layer({ inputs: 12, slots: 5, features: 6, rows: 100, scale, undo: scale !== 'tanh' }),
  ),
  layer({ inputs: 12, slots: 5, rows: 100, scale: 'tanh', undo: true, mixed: { mix: 0.3, back: true } }),
]);
