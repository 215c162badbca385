import { defineRule } from '../../runtime/derivative.js';
import { permute } from '../permute.js';
import type { rowSum } from '../row-sum.js';
import { accumulate } from './accumulate.js';

export const rowSumRule = /*#__PURE__*/ defineRule<(typeof rowSum)['source']>(
  'row-sum.row_sum',
  (r, { params: { features } }, gradients) => {
    const [dTotal, dTerms] = [gradients.of('total'), gradients.into('terms')];
    if (!dTotal || !dTerms) return;
    const index = r.constant(new Uint32Array(features), 'every term');
    accumulate(r, dTerms, (y) => r.run(permute, { buffers: { x: dTotal, index, y }, params: { features, source_features: 1 } }));
  },
);
