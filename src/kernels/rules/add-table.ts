import { defineRule } from '../../runtime/derivative.js';
import type { addTable } from '../add-table.js';
import { recordColumnSums } from '../linear-backward.js';

export const addTableRule = /*#__PURE__*/ defineRule<(typeof addTable)['source']>(
  'add-table.add_table',
  (r, { params: { sign } }, gradients) => {
    const [dTotal, total] = [gradients.of('total'), gradients.intoTable('table')];
    if (!dTotal || !total) return;
    recordColumnSums(r, dTotal, total, { factor: sign });
  },
);
