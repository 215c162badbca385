import { defineRule } from '../../runtime/derivative.js';
import { batchNorm } from '../batch-norm-backward.js';
import { accumulate } from './accumulate.js';

export const batchMomentsRule = /*#__PURE__*/ defineRule(
  batchNorm.moments,
  (r, { buffers: { source, center, offset }, params, constants }, gradients) => {
    const [d_center, d_offset] = [gradients.ofTable('center'), gradients.ofTable('offset')];
    const dX = gradients.into('source');
    if (!dX || !d_center || !d_offset) return;
    accumulate(r, dX, (y) =>
      r.run(batchNorm.backward, { buffers: { source, at_center: center, at_offset: offset, d_center, d_offset, y }, params, constants }),
    );
  },
);
