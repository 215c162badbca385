import { multiplyAdd } from '../../src/kernels/multiply-add.js';
import { defineCases, ROWS, tiledNormals, ULP, unread } from './case.js';

const product = (features: number, rows: number, options: { b?: number; add?: boolean; at?: number } = {}) => {
  const { b = 0, add = false, at = 0 } = options;
  return {
    name: `${features} features, ${rows} rows${b ? `, b of ${b}` : ''}${add ? ', added' : ''}${at ? `, from ${at}` : ''}`,
    rows,
    params: {
      features,
      a_features: features + at,
      a_at: at,
      b_features: Math.max(b, 1),
      y_features: features + 2 * at,
      y_at: 2 * at,
      factor: -0.75,
    },
    constants: { HAS_B: b > 0, ADD: add },
    buffers: { a: tiledNormals(features + at), b: b > 0 ? tiledNormals(b) : unread, y: tiledNormals(features + 2 * at) },
    tolerance: { bound: 3 * ULP },
  };
};

export const multiplyAddCases = defineCases(multiplyAdd, [
  ...ROWS.map((rows) => product(5, rows, { b: 5 })),
  ...[1, 2, 63].map((features) => product(features, 257, { b: 1, add: true })),
  product(5, 257),
  product(6, 257, { b: 3, at: 2 }),
  product(5, 257, { add: true, at: 3 }),
]);
