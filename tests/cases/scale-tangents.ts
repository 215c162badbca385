import { scaleTangents } from '../../src/kernels/scale-tangents.js';
import { defineCases, ROWS, tiledNormals, ULP } from './case.js';

const tangents = (features: number, blocks: number, rows: number) => ({
  name: `${blocks} × ${features} features, ${rows} rows`,
  rows,
  params: { features, blocks },
  buffers: { x: tiledNormals(features * blocks), slope: tiledNormals(features), y: tiledNormals(features * blocks) },
  tolerance: { bound: ULP },
});

export const scaleTangentsCases = defineCases(scaleTangents, [
  ...ROWS.map((rows) => tangents(5, 3, rows)),
  tangents(1, 1, 257),
  tangents(63, 2, 257),
]);
