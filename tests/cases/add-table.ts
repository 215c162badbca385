import { addTable } from '../../src/kernels/add-table.js';
import { defineCases, ROWS, table, tiledNormals, ULP } from './case.js';

export const addTableCases = defineCases(
  addTable,
  ROWS.map((rows) => ({
    name: `${rows} rows`,
    rows,
    params: { sign: rows % 2 === 0 ? 1 : -1 },
    buffers: { table: table((random) => random.normals(4)), total: tiledNormals(1) },
    tolerance: { bound: 2 * ULP },
  })),
);
