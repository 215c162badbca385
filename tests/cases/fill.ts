import { fill } from '../../src/kernels/fill.js';
import { defineCases, ROWS, tiledNormals } from './case.js';

const exact = { bound: 0 } as const;
const rounded = { bound: 1e-7 } as const; // one addition

export const fillCases = defineCases(fill, [
  ...ROWS.map((rows) => ({
    name: `${rows} rows, 5 features`,
    rows,
    params: { features: 5, value: -2.5 },
    buffers: { destination: tiledNormals(5) },
    tolerance: exact,
  })),
  ...[1, 63].map((features) => ({
    name: `added, ${features} features`,
    rows: 257,
    params: { features, value: 0.75 },
    constants: { ADD: true },
    buffers: { destination: tiledNormals(features) },
    tolerance: rounded,
  })),
]);
