import { partialSums, rowSum } from '../../src/kernels/row-sum.js';
import { defineCases, ROWS, tiledNormals, ULP } from './case.js';

const sum = (features: number, rows: number) => ({
  name: `${features} features, ${rows} rows`,
  rows,
  params: { features },
  buffers: { terms: tiledNormals(features), total: tiledNormals(1) },
  tolerance: { bound: (2 + features / 32) * ULP, of: 'inputs' as const },
});

export const rowSumCases = defineCases(rowSum, [
  ...ROWS.map((rows) => sum(5, rows)),
  ...[1, 2, 7, 8, 9, 63, 64, 784].map((features) => sum(features, 257)),
]);

const parts = (features: number, rows: number) => ({
  name: `${features} features, ${rows} rows`,
  rows,
  params: { features },
  buffers: { terms: tiledNormals(features), partials: tiledNormals(Math.ceil(features / 64)) },
  tolerance: { bound: 4 * ULP, of: 'inputs' as const },
});

export const partialSumsCases = defineCases(partialSums, [
  ...ROWS.map((rows) => parts(70, rows)),
  ...[1, 63, 64, 65, 784].map((features) => parts(features, 257)),
]);
