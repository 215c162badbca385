import { tangentsBackward } from '../../src/kernels/tangents-backward.js';
import { defineCases, ROWS, tiledNormals, ULP } from './case.js';

const tangents = (features: number, blocks: number, rows: number, ADD = false) => ({
  name: `${blocks} × ${features} features, ${rows} rows${ADD ? ', added' : ''}`,
  rows,
  params: { features, blocks },
  constants: { ADD },
  buffers: { x: tiledNormals(features * blocks), d_y: tiledNormals(features * blocks), d_slope: tiledNormals(features) },
  tolerance: { bound: (2 + blocks) * ULP, of: 'inputs' as const },
});

export const tangentsBackwardCases = defineCases(tangentsBackward, [
  ...ROWS.map((rows) => tangents(5, 3, rows)),
  tangents(1, 1, 257),
  tangents(2, 63, 257, true),
  tangents(63, 2, 257, true),
]);
