import { invertMatrix } from '../../src/flows/linear-algebra.js';
import * as source from '../../src/kernels/generated/log-determinant-backward.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

/** Multiplies the factors out and inverts their product. */
export const logDeterminantBackward = defineTwin(source.logDeterminantBackward, ({ buffers, params: { dim, sign }, rows }) => {
  const { factors, d_log_det, d_matrix } = buffers;
  for (let row = 0; row < rows; row++) {
    const at = (i: number, j: number) => tiled(dim * dim, row) + (i * dim + j) * TILE;
    const lower = (i: number, k: number) => (i === k ? 1 : factors[at(i, k)]!);
    const upper = (k: number, j: number) => (k === j ? 1 : 0) + factors[at(k, j)]!;
    const whole = Float64Array.from({ length: dim * dim }, (_, index) => {
      const [i, j] = [Math.floor(index / dim), index % dim];
      let sum = 0;
      for (let k = 0; k <= Math.min(i, j); k++) sum += lower(i, k) * upper(k, j);
      return sum;
    });
    const { inverse: inverted } = invertMatrix(whole, dim);
    for (let i = 0; i < dim; i++) for (let j = 0; j < dim; j++) d_matrix[at(i, j)] = sign * d_log_det[row]! * inverted[j * dim + i]!;
  }
});
