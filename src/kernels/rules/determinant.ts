import { defineRule, type OriginRule } from '../../runtime/derivative.js';
import { UnsupportedError } from '../../runtime/errors.js';
import { determinant } from '../determinant-backward.js';
import { lengthOf } from './tables.js';

/** factor · log|det M| of a matrix [D, D]. */
export const determinantOrigin: OriginRule = {
  kind: 'determinant',
  record: (r, { matrix }, { factor }) => {
    const length = lengthOf(matrix!);
    const features = Math.sqrt(length);
    const tables = { log_det: r.table(1, 'log-det'), inverse: r.table(length, 'inverse') };
    r.run(determinant.invert, {
      buffers: { matrix: matrix!, ...tables, pivots: r.table(features, 'pivots') },
      params: { features, factor: Number(factor) },
    });
    return tables;
  },
};

export const determinantRule = /*#__PURE__*/ defineRule(determinant.invert, (r, { buffers: { inverse: made }, params }, gradients) => {
  const [d_log_det, d_matrix] = [gradients.ofTable('log_det'), gradients.intoTable('matrix')];
  if (gradients.ofTable('inverse')) throw new UnsupportedError(r.place, 'the derivative of the inverse of a learned matrix');
  if (d_log_det && d_matrix) r.run(determinant.gradient, { buffers: { made, d_log_det, d_matrix }, params });
});
