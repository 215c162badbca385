import * as source from '../../src/kernels/generated/scale-tangents.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const scaleTangents = defineTwin(source.scaleTangents, ({ buffers: { x, slope, y }, params: { features, blocks }, rows }) => {
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < features * blocks; i++) {
      const at = tiled(features * blocks, row) + i * TILE;
      y[at] = x[at]! * slope[tiled(features, row) + (i % features) * TILE]!;
    }
});

export const seedTangents = defineTwin(source.seedTangents, ({ buffers: { slope, y, seed, scale }, params, constants, rows }) => {
  const { features, blocks, scale_at } = params;
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < features * blocks; i++) {
      const gate = constants.SCALE ? scale[scale_at + (i % features)]! : 1;
      y[tiled(features * blocks, row) + i * TILE] = seed[i]! * gate * slope[tiled(features, row) + (i % features) * TILE]!;
    }
});
