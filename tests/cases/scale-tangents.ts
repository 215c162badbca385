import { scaleTangents, seedTangents } from '../../src/kernels/scale-tangents.js';
import { defineCases, ROWS, table, tiledNormals, ULP, unread } from './case.js';

const tangents = (features: number, blocks: number, rows: number) => ({
  name: `${blocks} × ${features} features, ${rows} rows`,
  rows,
  params: { features, blocks, scale_at: 0 },
  buffers: { x: tiledNormals(features * blocks), slope: tiledNormals(features), y: tiledNormals(features * blocks) },
  tolerance: { bound: ULP },
});

export const scaleTangentsCases = defineCases(scaleTangents, [
  ...ROWS.map((rows) => tangents(5, 3, rows)),
  tangents(1, 1, 257),
  tangents(63, 2, 257),
]);

const seeded = (features: number, blocks: number, rows: number, scaled = false) => ({
  name: `${blocks} × ${features} features, ${rows} rows${scaled ? ', scaled' : ''}`,
  rows,
  params: { features, blocks, scale_at: scaled ? 8 : 0 },
  constants: { SCALE: scaled },
  buffers: {
    slope: tiledNormals(features),
    y: tiledNormals(features * blocks),
    seed: table((random) => random.normals(features * blocks)),
    scale: scaled ? table((random) => random.normals(8 + features)) : unread,
  },
  tolerance: { bound: 2 * ULP, of: 'inputs' as const },
});

export const seedTangentsCases = defineCases(seedTangents, [
  ...ROWS.map((rows) => seeded(5, 3, rows)),
  seeded(1, 1, 257),
  seeded(63, 2, 257),
  seeded(16, 3, 257, true),
]);
