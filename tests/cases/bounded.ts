import { type FeatureSupport, packSupport } from '../../src/flows/bijectors/bounded.js';
import { bounded } from '../../src/kernels/bounded.js';
import { type BufferSpec, defineCases, ROWS, table, tiledNormals } from './case.js';

const KINDS: readonly FeatureSupport[] = [
  { kind: 'interval', low: -1, high: 3, k: 0.7 },
  { kind: 'softplus', low: 0.5, k: 1 },
  { kind: 'line' },
  { kind: 'exp', low: -2, k: -1 },
  { kind: 'tanh' },
  { kind: 'interval', low: 0, high: 1, k: 1 },
  { kind: 'softplus', low: -4, k: -1 },
  { kind: 'exp', low: 0, k: 1 },
];

export const supports = (features: number) => Array.from({ length: features }, (_, f) => KINDS[f % KINDS.length]!);

/** A point inside the support, from a uniform number. */
export function insideSupport({ kind, low = 0, high = 1, k = 1 }: FeatureSupport, u: number): number {
  if (kind === 'line') return 6 * u - 3;
  if (kind === 'tanh') return 1.98 * u - 0.99;
  return kind === 'interval' ? low + (high - low) * (0.01 + 0.98 * u) : low + k * 4 * (u + 0.01);
}

export const tiledFrom = (features: number, value: (f: number, i: number, u: number) => number): BufferSpec => ({
  layout: 'tiled',
  make: (random, rows) =>
    Float32Array.from({ length: Math.ceil(rows / 64) * 64 * features }, (_, at) =>
      value(Math.floor(at / 64) % features, at % 64, random.uniform()),
    ),
});

const mapped = (features: number, rows: number, undo: boolean, logDet = true, eps = 0) => ({
  name: `${features} features, ${rows} rows${undo ? ', undone' : ''}${logDet ? '' : ', no log-det'}${eps ? `, eps ${eps}` : ''}`,
  rows,
  params: { features, eps },
  constants: { UNDO: undo, HAS_LOG_DET: logDet },
  buffers: {
    x: undo ? tiledFrom(features, (f, _, u) => insideSupport(supports(features)[f]!, u)) : tiledNormals(features, 3),
    table: table(() => packSupport(supports(features))),
    y: tiledNormals(features),
    log_terms: tiledNormals(features),
  },
  tolerance: { bound: undo ? 2e-6 : 1e-6 },
});

const special = (undo: boolean, values: readonly number[], eps = 0) => ({
  ...mapped(8, 64, undo, true, eps),
  name: `${undo ? 'ends, beyond them' : 'far'}, infinities, NaN${eps ? `, eps ${eps}` : ''}`,
  buffers: { ...mapped(8, 64, undo).buffers, x: tiledFrom(8, (_, i) => values[i % values.length]!) },
});

const ENDS = [-1, 3, 0, 1, 0.5, -2, -4, 1 - 2 ** -24, 2 ** -126, -(2 ** -20), 1 + 2 ** -20, -1e4, 1e4, Infinity, -Infinity, NaN];

export const boundedCases = defineCases(bounded, [
  ...ROWS.flatMap((rows) => [mapped(8, rows, false), mapped(8, rows, true)]),
  ...[1, 2, 63].flatMap((features) => [mapped(features, 257, false), mapped(features, 257, true)]),
  mapped(8, 257, false, false),
  mapped(8, 257, true, false),
  mapped(8, 257, true, true, 0.25),
  special(false, [0, -0, 20, -20, 88, -88, 1e4, -1e4, 1e30, Infinity, -Infinity, NaN]),
  special(true, ENDS),
  special(true, ENDS, 1e-6),
]);
