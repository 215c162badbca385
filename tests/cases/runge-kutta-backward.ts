import { advanceBackward } from '../../src/kernels/runge-kutta-backward.js';
import { defineCases, ROWS, table, tiledNormals, ULP } from './case.js';

const backward = (features: number, terms: number, rows = 257, at = 0, ADD = false) => ({
  name: `${features} features, ${terms} terms, ${rows} rows${at > 0 ? `, from ${at} on` : ''}${ADD ? ', added' : ''}`,
  rows,
  params: {
    features,
    terms,
    k_features: terms * (features + at),
    k_stride: features + at,
    y_features: features + 3 * at,
    y_at: 2 * at,
  },
  constants: { ADD },
  buffers: {
    d_y: tiledNormals(features + 3 * at),
    coefficients: table((random) => random.normals(terms)),
    d_k: tiledNormals(terms * (features + at)),
  },
  tolerance: { bound: 2 * ULP, of: 'inputs' as const },
});

export const advanceBackwardCases = defineCases(advanceBackward, [
  ...ROWS.map((rows) => backward(5, 6, rows)),
  ...[1, 2, 63].map((features) => backward(features, 4, 257, 0, true)),
  ...[1, 7].map((terms) => backward(3, terms, 1000, 2, true)),
]);
