import { pack } from '../../src/kernels/pack.js';
import { defineCases, ROWS, rowMajorNormals, table, tiledNormals } from './case.js';

const shapes = [...ROWS.map((rows) => [5, rows] as const), [1, 257] as const, [2, 257] as const, [63, 257] as const];
const exact = { bound: 0 } as const;

export const packCases = defineCases(pack.pack, [
  ...shapes.map(([features, rows]) => ({
    name: `${features} features, ${rows} rows`,
    rows,
    params: { features, is_context: 0 },
    contextStride: 0 as const, // must not matter to what is no context
    buffers: { outside: rowMajorNormals(features), inside: tiledNormals(features) },
    tolerance: exact,
  })),
  {
    name: 'a context row each',
    rows: 257,
    contextStride: 1,
    params: { features: 3, is_context: 1 },
    buffers: { outside: rowMajorNormals(3), inside: tiledNormals(3) },
    tolerance: exact,
  },
  {
    name: 'one context row for all',
    rows: 257,
    contextStride: 0,
    params: { features: 3, is_context: 1 },
    buffers: { outside: table((random) => random.normals(3)), inside: tiledNormals(3) },
    tolerance: exact,
  },
]);

export const unpackCases = defineCases(
  pack.unpack,
  shapes.map(([features, rows]) => ({
    name: `${features} features, ${rows} rows`,
    rows,
    params: { features, is_context: 0 },
    buffers: { tensor: tiledNormals(features), result: rowMajorNormals(features) },
    tolerance: exact,
  })),
);
