import { batchNorm } from '../../src/kernels/batch-norm-backward.js';
import { defineCases, ROWS, table, tiledNormals, ULP } from './case.js';

const normals = (length: number, scale = 1) => table((random) => random.normals(length, scale));
/** Means, then from the next multiple of 64 on variances. */
const statistics = (features: number) =>
  table((random) => {
    const from = 64 * Math.ceil(features / 64);
    return random.normals(2 * from).map((value, i) => (i < from ? value : 0.1 + value * value));
  });
/** The running ones in the opposite order. */
const order = (features: number) => table(() => Uint32Array.from({ length: features }, (_, f) => features - 1 - f));
const of = ([features, rows]: readonly [number, number], FACTOR: boolean) => ({
  name: `${features} features, ${rows} rows${FACTOR ? ', factors' : ''}`,
  rows,
  constants: { FACTOR },
  params: { features, variance_at: 64 * Math.ceil(features / 64), eps: 1e-5, momentum: 0.1 },
});
const sizes: (readonly [number, number])[] = [
  ...ROWS.map((rows): [number, number] => [5, rows]),
  ...[1, 2, 63].map((f): [number, number] => [f, 257]),
];
const both = (list: typeof sizes) => [false, true].flatMap((factor) => list.map((size) => [size, factor] as const));

export const batchMomentsCases = defineCases(
  batchNorm.moments,
  both(sizes).map(([[features, rows], factor]) => ({
    ...of([features, rows], factor),
    buffers: {
      source: tiledNormals(features),
      running: statistics(features),
      order: order(features),
      center: normals(features),
      offset: normals(features),
    },
    // One row has no variance, and its offset is that of eps. An offset that is no factor is −½ log of the variance.
    tolerance: { bound: 64 * ULP, of: 'inputs' as const, ...(!factor && { logarithms: ['offset'] }) },
  })),
);

export const runningMomentsCases = defineCases(
  batchNorm.running,
  both([1, 2, 5, 63, 200].map((features) => [features, 1] as const)).map(([[features], factor]) => ({
    ...of([features, 1], factor),
    buffers: { settled: statistics(features), order: order(features), center: normals(features), offset: normals(features) },
    tolerance: { bound: 8 * ULP },
  })),
);

export const batchMomentsBackwardCases = defineCases(
  batchNorm.backward,
  both(sizes).map(([[features, rows], factor]) => ({
    ...of([features, rows], factor),
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
