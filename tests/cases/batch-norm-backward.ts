import { batchNorm } from '../../src/kernels/batch-norm-backward.js';
import { defineCases, ROWS, table, tiledNormals, ULP } from './case.js';

const normals = (length: number, scale = 1) => table((random) => random.normals(length, scale));
/** Means, then from the next multiple of 64 on variances. */
const statistics = (features: number) =>
  table((random) => {
    const from = 64 * Math.ceil(features / 64);
    return random.normals(2 * from).map((value, i) => (i < from ? value : 0.1 + value * value));
  });
const of = (features: number, rows: number) => ({
  name: `${features} features, ${rows} rows`,
  rows,
  params: { features, variance_at: 64 * Math.ceil(features / 64), eps: 1e-5, momentum: 0.1 },
});
const sizes: [number, number][] = [
  ...ROWS.map((rows): [number, number] => [5, rows]),
  ...[1, 2, 63].map((f): [number, number] => [f, 257]),
];

export const batchMomentsCases = defineCases(
  batchNorm.moments,
  sizes.map(([features, rows]) => ({
    ...of(features, rows),
    buffers: { source: tiledNormals(features), running: statistics(features), center: normals(features), offset: normals(features) },
    // One row has no variance, and its offset is that of eps.
    tolerance: { bound: 64 * ULP, of: 'inputs' as const },
  })),
);

export const runningMomentsCases = defineCases(
  batchNorm.running,
  [1, 2, 5, 63, 200].map((features) => ({
    ...of(features, 1),
    buffers: { settled: statistics(features), center: normals(features), offset: normals(features) },
    tolerance: { bound: 8 * ULP },
  })),
);

export const batchMomentsBackwardCases = defineCases(
  batchNorm.backward,
  sizes.map(([features, rows]) => ({
    ...of(features, rows),
    buffers: {
      source: tiledNormals(features),
      at_center: normals(features),
      at_offset: normals(features, 0.3),
      d_center: normals(features),
      d_offset: normals(features),
      y: tiledNormals(features),
    },
    tolerance: { bound: 32 * ULP },
  })),
);
