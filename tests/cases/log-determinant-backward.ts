import { logDeterminantBackward } from '../../src/kernels/log-determinant-backward.js';
import { defineCases, ROWS, tiledNormals } from './case.js';

/** Factors as those of a matrix whose norm is about 0.8. */
const backward = (dim: number, rows: number, sign: 1 | -1 = 1) => ({
  name: `D ${dim}, ${rows} rows, sign ${sign}`,
  rows,
  params: { dim, sign },
  buffers: {
    factors: tiledNormals(dim * dim, 0.4 / Math.max(2, Math.sqrt(dim))),
    d_log_det: tiledNormals(1),
    d_matrix: tiledNormals(dim * dim),
  },
  tolerance: { bound: 2e-6 },
});

export const logDeterminantBackwardCases = defineCases(logDeterminantBackward, [
  ...ROWS.map((rows) => backward(5, rows)),
  ...[1, 2, 16].map((dim) => backward(dim, 257)),
  backward(63, 3),
  backward(5, 257, -1),
]);
