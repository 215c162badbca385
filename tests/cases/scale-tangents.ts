import { scaleTangents, seedTangents } from '../../src/kernels/scale-tangents.js';
import { defineCases, ROWS, table, tiledNormals, ULP } from './case.js';

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

const seeded = (features: number, blocks: number, rows: number) => ({
  name: `${blocks} × ${features} features, ${rows} rows`,
  rows,
  params: { features, blocks },
  buffers: {
    slope: tiledNormals(features),
    y: tiledNormals(features * blocks),
    seed: table((random) => random.normals(features * blocks)),
  },
  tolerance: { bound: ULP },
});

export const seedTangentsCases = defineCases(seedTangents, [
  ...ROWS.map((rows) => seeded(5, 3, rows)),
  seeded(1, 1, 257),
  seeded(63, 2, 257),
]);
