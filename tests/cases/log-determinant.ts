import { logDeterminant } from '../../src/kernels/log-determinant.js';
import { defineCases, ROWS, tiledNormals } from './case.js';

/** Entries of deviation 0.4 / sqrt(D): a norm of about 0.8, as of a residual layer with coefficient 0.9. */
const determinant = (dim: number, rows: number, sign: 1 | -1 = 1) => ({
  name: `D ${dim}, ${rows} rows, sign ${sign}`,
  rows,
  params: { dim, sign },
  buffers: { matrix: tiledNormals(dim * dim, 0.4 / Math.max(2, Math.sqrt(dim))), log_det: tiledNormals(1) },
  tolerance: { bound: 1e-6 },
});

export const logDeterminantCases = defineCases(logDeterminant, [
  ...ROWS.map((rows) => determinant(5, rows)),
  ...[1, 2, 16, 63].map((dim) => determinant(dim, 257)),
  determinant(5, 257, -1),
]);
