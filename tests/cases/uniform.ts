import { uniform } from '../../src/kernels/uniform.js';
import { defineCases, ROWS, tiledNormals } from './case.js';

const params = (dim: number, low: number, high: number, sign: 1 | -1 = 1) => ({
  dim,
  low,
  high,
  log_volume: dim * Math.log(high - low),
  sign,
});

const draw = (dim: number, rows: number, seed: number, low = -3, high = 3, firstRow = 0) => ({
  name: `D ${dim}, ${rows} rows from ${firstRow}, seed ${seed}, [${low}, ${high}]`,
  rows,
  seed,
  firstRow,
  params: params(dim, low, high),
  buffers: { z: tiledNormals(dim) },
  tolerance: { bound: 2e-7 },
});

export const uniformSampleCases = defineCases(uniform.sample, [
  ...ROWS.map((rows) => draw(5, rows, 2026)),
  ...[1, 2, 4, 63].map((dim) => draw(dim, 257, 7, 0, 1)),
  draw(2, 257, 2 ** 53 - 1),
  draw(2, 257, 2026, -3, 3, 65_536 + 64),
]);

const density = (dim: number, rows: number, sign: 1 | -1 = 1, scale = 1) => ({
  name: `D ${dim}, ${rows} rows, sign ${sign}, z ~ ${scale}`,
  rows,
  params: params(dim, -3, 3, sign),
  buffers: { source: tiledNormals(dim, scale), log_det: tiledNormals(1), log_prob: tiledNormals(1) },
  tolerance: { bound: 2e-7 },
});

export const uniformDensityCases = defineCases(uniform.logDensity, [
  ...ROWS.map((rows) => density(5, rows)),
  ...[1, 2, 63].map((dim) => density(dim, 257)),
  density(5, 257, -1),
  density(5, 257, 1, 3),
]);
