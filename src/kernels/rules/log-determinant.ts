import { defineRule } from '../../runtime/derivative.js';
import type { logDeterminant } from '../log-determinant.js';
import { logDeterminantBackward } from '../log-determinant-backward.js';
import { accumulate } from './accumulate.js';

export const logDeterminantRule = {
  ...defineRule<(typeof logDeterminant)['source']>(
    'log-determinant.log_determinant',
    (r, { buffers: { matrix: factors }, params }, gradients) => {
      const [d_log_det, dMatrix] = [gradients.of('log_det'), gradients.into('matrix')];
      if (d_log_det && dMatrix)
        accumulate(r, dMatrix, (d_matrix) => r.run(logDeterminantBackward, { buffers: { factors, d_log_det, d_matrix }, params }));
    },
  ),
  inPlace: true,
} as const;
