import { defineRule } from '../../runtime/derivative.js';
import type { classTable } from '../class-table.js';
import { classTableBackward } from '../class-table-backward.js';

export const classTableRule = /*#__PURE__*/ defineRule<(typeof classTable)['source']>(
  'class-table.class_table',
  (r, { buffers: { labels }, params }, gradients) => {
    const [d_y, d_table] = [gradients.of('y'), gradients.intoTable('table')];
    if (d_y && d_table) r.run(classTableBackward, { buffers: { labels, d_y, d_table }, params });
  },
);
