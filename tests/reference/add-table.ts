import * as source from '../../src/kernels/generated/add-table.js';
import { defineTwin } from './twin.js';

export const addTable = defineTwin(source.addTable, ({ buffers: { table, total }, params: { sign }, rows }) => {
  for (let row = 0; row < rows; row++) total[row]! += sign * table[0]!;
});
