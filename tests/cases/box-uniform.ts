import { boxUniform } from '../../src/kernels/box-uniform.js';
import type { Random } from '../support/random.js';
import { type BufferSpec, defineCases, ROWS, table, tiledNormals } from './case.js';

/** low, then high. */
const bounds = (dim: number, width: number): BufferSpec =>
  table((random: Random) => {
    const low = random.normals(dim);
    return Float32Array.from([...low, ...low.map((value) => value + width * (0.5 + random.uniform()))]);
  });

const draw = (dim: number, rows: number, seed: number, firstRow = 0, width = 2) => ({
  name: `D ${dim}, ${rows} rows from ${firstRow}, seed ${seed}, width ${width}`,
  rows,
  seed,
  firstRow,
  params: { dim, sign: 1, constant: 0 },
  buffers: { bounds: bounds(dim, width), z: tiledNormals(dim) },
  tolerance: { bound: 4e-7 },
});

export const boxUniformSampleCases = defineCases(boxUniform.sample, [
  ...ROWS.map((rows) => draw(5, rows, 2026)),
  ...[1, 2, 4, 63].map((dim) => draw(dim, 257, 7)),
  draw(2, 257, 2 ** 53 - 1),
  draw(2, 257, 2026, 65_536 + 64),
  draw(3, 257, 1, 0, 1e5),
  draw(3, 257, 1, 0, 1e-5),
]);

const density = (dim: number, rows: number, width: number, sign: 1 | -1 = 1) => ({
  name: `D ${dim}, ${rows} rows, width ${width}, sign ${sign}`,
  rows,
  params: { dim, sign, constant: -dim * Math.log(width) },
  buffers: { source: tiledNormals(dim), bounds: bounds(dim, width), log_det: tiledNormals(1), log_prob: tiledNormals(1) },
  tolerance: { bound: 2e-7 },
});

export const boxUniformDensityCases = defineCases(boxUniform.logDensity, [
  ...ROWS.map((rows) => density(2, rows, 2)), // some rows inside, some outside
  ...[1, 5, 63].map((dim) => density(dim, 257, 8)),
  density(2, 257, 2, -1),
  density(2, 257, 1e-3),
]);
