import { packPlanar } from '../../src/flows/bijectors/planar.js';
import { planar } from '../../src/kernels/planar.js';
import { paddedRows, TILE } from '../../src/runtime/tensor.js';
import type { Random } from '../support/random.js';
import { type BufferSpec, defineCases, ROWS, table, tiledNormals } from './case.js';

/** b, u, w with |w| of at least ½, since û grows as 1 / |w|, and w·u of at least −3, where the inverse magnifies by 20. */
export function unitParameters(random: Random, features: number): Float32Array<ArrayBuffer> {
  const direction = random.normals(features);
  const size = (0.5 + Math.abs(random.normal())) / Math.hypot(...direction);
  const w = direction.map((value) => value * size);
  const along = random.normal() / Math.hypot(...w);
  const u = random.normals(features, 1 / Math.sqrt(features)).map((value, f) => value + along * w[f]!);
  const dot = u.reduce((sum, value, f) => sum + value * w[f]!, 0);
  return Float32Array.of(random.normal(), ...u.map((value) => (dot < -3 ? (-3 * value) / dot : value)), ...w);
}

/** A parameter set for each row, tiled [features, rows]. */
export const perRow = (features: number, make: (random: Random) => ArrayLike<number>): BufferSpec => ({
  layout: 'tiled',
  make: (random, rows) => {
    const data = new Float32Array(paddedRows(rows) * features).fill(Number.NaN);
    for (let row = 0; row < rows; row++)
      for (const [f, value] of Array.from(make(random)).entries())
        data[Math.floor(row / TILE) * features * TILE + f * TILE + (row % TILE)] = value;
    return data;
  },
});

interface Shape {
  readonly features: number;
  readonly rows?: number;
  readonly leaky?: boolean;
  readonly undo?: boolean;
  readonly perRow?: boolean;
  readonly logDet?: boolean;
}

const unit = ({ features, rows = 257, leaky = false, undo = false, perRow: each = false, logDet = true }: Shape) => ({
  name: [
    `${features} features, ${rows} rows, ${leaky ? 'leaky relu' : 'tanh'}`,
    ...(undo ? ['undone'] : []),
    ...(each ? ['parameters a row'] : []),
    ...(logDet ? [] : ['no log-det']),
  ].join(', '),
  rows,
  params: { features, parameter_features: each ? 2 * features + 1 : 1, negative_slope: 0.2 },
  constants: { PER_ROW: each, LEAKY: leaky, UNDO: undo, HAS_LOG_DET: logDet },
  buffers: {
    x: tiledNormals(features, 2),
    parameters: each
      ? perRow(2 * features + 1, (random) => unitParameters(random, features))
      : table((random) => {
          const p = unitParameters(random, features);
          return packPlanar(p.subarray(1, 1 + features), p.subarray(1 + features), p[0]!);
        }),
    y: tiledNormals(features),
    log_det: tiledNormals(1),
  },
  // The inverse magnifies the rounding of w·x, a sum over the features, up to 20 times; parameters a row are 257 draws of it.
  tolerance: { bound: undo && (features > 16 || each) ? 5e-5 : 1e-5 },
});

/** c = w·û and the input that meets the steep, the flat and the far end of the solve: D = 1, w = 1, b = 0. */
const solve = (name: string, c: readonly number[], inputs: readonly number[], bound: number) =>
  c.map((value) => ({
    ...unit({ features: 1, rows: inputs.length, undo: true }),
    name: `${name}, c = ${value}`,
    rows: inputs.length,
    buffers: {
      ...unit({ features: 1 }).buffers,
      x: {
        layout: 'tiled' as const,
        make: () => {
          const data = new Float32Array(paddedRows(inputs.length)).fill(Number.NaN);
          data.set(inputs);
          return data;
        },
      },
      parameters: table(() => {
        // û = c / w for a single feature; what softplus would have given.
        const packed = new Float32Array(4 * 9);
        for (const [i, entry] of [0, value, 1, 0, 0, value, 0, 1 + value, 0].entries()) packed.fill(entry, 4 * i, 4 * i + 4);
        return packed;
      }),
    },
    tolerance: { bound },
  }));

const FAR = [0, -0, 1e-30, -1e-3, 0.3, -1, 2.5, -7, 50, -1e4, 1e4, 1e10, -1e20, 3e38, Number.POSITIVE_INFINITY, Number.NaN];

export const planarCases = defineCases(planar, [
  ...ROWS.map((rows) => unit({ features: 5, rows, undo: true })),
  ...[1, 2, 63].flatMap((features) => [unit({ features }), unit({ features, undo: true })]),
  ...[false, true].flatMap((leaky) =>
    [false, true].flatMap((undo) => [
      unit({ features: 5, rows: 1000, leaky, undo }),
      unit({ features: 5, leaky, undo, perRow: true }),
      unit({ features: 2, leaky, undo, logDet: false }),
    ]),
  ),
  unit({ features: 63, undo: true, perRow: true }),
  ...solve('far and near inputs', [-0.5, 0, 1, 5], FAR, 1e-6),
  // The value is well determined; the log-det has the steepness at the root in it.
  ...solve('almost singular', [-0.96875, -0.99609375], [0, 1e-2, -0.1, 0.5, 2, 1e4], 2e-6),
  // z is a difference of numbers as large as c.
  ...solve('steep', [30], [0, 1e-2, -1, 29, -31, 1024, 1e5, -1e6], 4e-6),
  ...solve('steep', [16384], [0, 1e-2, -1, 29, -31, 1024, 16384, 1e5, -1e6], 16384 * 2 ** -23),
]);
