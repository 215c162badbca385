import { packTriangle } from '../../src/flows/bijectors/triangle.js';
import { triangularSolve } from '../../src/kernels/triangular-solve.js';
import type { Random } from '../support/random.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';

/** A random triangle whose inverse stays of unit size: diagonal e^{N(0, 1/4)}, the rest N(0, 1 / (4 D)). */
function packed(random: Random, dim: number, side: 'lower' | 'upper') {
  const matrix = Float64Array.from(random.normals(dim * dim, 0.5 / Math.sqrt(dim)));
  for (let f = 0; f < dim; f++) matrix[f * dim + f] = (random.uniform() < 0.5 ? -1 : 1) * Math.exp(0.5 * random.normal());
  return packTriangle(matrix, dim, side, random.normals(dim));
}

// weight and constants come from two random triangles, which is one more.
const solve = (dim: number, rows: number, side: 'lower' | 'upper') => ({
  name: `D ${dim}, ${rows} rows, ${side}`,
  rows,
  params: { features: dim },
  constants: { REVERSE: side === 'upper' },
  buffers: {
    x: tiledNormals(dim),
    weight: table((random) => packed(random, dim, side).weight),
    constants: table((random) => packed(random, dim, side).constants),
    y: tiledNormals(dim),
  },
  tolerance: { bound: 2e-6 },
});

export const triangularSolveCases = defineCases(triangularSolve, [
  ...ROWS.flatMap((rows) => [solve(5, rows, 'lower'), solve(5, rows, 'upper')]),
  ...[1, 2, 8, 9, 33, 63].flatMap((dim) => [solve(dim, 257, 'lower'), solve(dim, 257, 'upper')]),
]);
