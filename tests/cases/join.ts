import { join } from '../../src/kernels/join.js';
import { defineCases, ROWS, tiledNormals } from './case.js';

const joined = (leading: number, features: number, rows: number, whole = features, shift = 0) => ({
  name: `${leading} of ${features} features, ${rows} rows, from ${whole}${shift ? `, shifted by ${shift}` : ''}`,
  rows,
  params: { features, leading_features: leading, whole_features: whole, shift },
  buffers: { leading: tiledNormals(leading), whole_tensor: tiledNormals(whole), y: tiledNormals(features) },
  tolerance: { bound: 0 },
});

export const joinCases = defineCases(join, [
  ...ROWS.map((rows) => joined(2, 5, rows)),
  joined(1, 2, 257),
  joined(31, 63, 257),
  joined(5, 5, 257),
  joined(3, 6, 257, 12),
  joined(3, 7, 257, 4, 3),
]);
