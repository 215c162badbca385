import { standardNormal } from '../../src/kernels/standard-normal.js';
import { defineCases, ROWS, tiledNormals } from './case.js';

const draw = (dim: number, rows: number, seed: number, firstRow = 0) => ({
  name: `D ${dim}, ${rows} rows from ${firstRow}, seed ${seed}`,
  rows,
  seed,
  firstRow,
  params: { dim, sign: 1 },
  buffers: { z: tiledNormals(dim) },
  tolerance: { bound: 1e-6 },
});

export const standardNormalSampleCases = defineCases(standardNormal.sample, [
  ...ROWS.map((rows) => draw(5, rows, 2026)),
  ...[1, 2, 4, 63].map((dim) => draw(dim, 257, 7)),
  draw(2, 257, 2 ** 53 - 1),
  draw(2, 257, 2 ** 32), // low word 0, high word 1
  draw(2, 257, 2026, 65_536 + 64), // a chunk of a larger batch: both halves of the row
]);

const density = (dim: number, rows: number, sign: 1 | -1 = 1, scale = 1) => ({
  name: `D ${dim}, ${rows} rows, sign ${sign}, z ~ ${scale}`,
  rows,
  params: { dim, sign },
  buffers: { source: tiledNormals(dim, scale), log_det: tiledNormals(1), log_prob: tiledNormals(1) },
  tolerance: { bound: 1e-6 },
});

export const standardNormalDensityCases = defineCases(standardNormal.logDensity, [
  ...ROWS.map((rows) => density(5, rows)),
  ...[1, 2, 63, 784].map((dim) => density(dim, 257)),
  density(5, 257, -1),
  density(5, 257, 1, 1e4),
]);
