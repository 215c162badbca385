import { defineRule } from '../../runtime/derivative.js';
import type { addTable } from '../add-table.js';
import { columnSums } from '../linear-backward.js';

export const addTableRule = /*#__PURE__*/ defineRule<(typeof addTable)['source']>(
  'add-table.add_table',
  (r, { params: { sign } }, gradients) => {
    const [dTotal, total] = [gradients.of('total'), gradients.intoTable('table')];
    if (!dTotal || !total) return;
    r.run(columnSums, { buffers: { terms: dTotal, total }, params: { features: 1, source_features: 1, at: 0, factor: sign, stride: 1 } });
  },
);
