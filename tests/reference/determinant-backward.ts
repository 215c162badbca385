import * as source from '../../src/kernels/generated/determinant-backward.js';
import { defineTwin } from './twin.js';

/** Column by column by elimination on a copy, sharing no step with the shader's elimination in place. */
export const invert = defineTwin(source.invert, ({ buffers: { matrix, inverse, log_det }, params: { features: n, factor } }) => {
  const rows = Array.from({ length: n }, (_, i) => [
    ...matrix.subarray(i * n, (i + 1) * n),
    ...Array.from({ length: n }, (_, j) => Number(i === j)),
  ]);
  let sum = 0;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[pivot]![k]!)) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    const value = rows[k]![k]!;
    sum += Math.log(Math.abs(value));
    rows[k] = rows[k]!.map((entry) => entry / value);
    for (let i = 0; i < n; i++) {
      const times = rows[i]![k]!;
      if (i !== k && times !== 0) rows[i] = rows[i]!.map((entry, j) => entry - times * rows[k]![j]!);
    }
  }
  for (const [i, row] of rows.entries()) inverse.set(row.slice(n), i * n);
  log_det[0] = factor * sum;
});

export const determinantGradient = defineTwin(
  source.determinantGradient,
  ({ buffers: { made, d_log_det, d_matrix }, params: { features: n, factor } }) => {
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) d_matrix[i * n + j]! += factor * d_log_det[0]! * made[j * n + i]!;
  },
);
