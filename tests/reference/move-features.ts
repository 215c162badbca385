import * as source from '../../src/kernels/generated/move-features.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const moveFeatures = defineTwin(source.moveFeatures, ({ buffers: { x, place, y }, params, rows }) => {
  const { features, x_features, y_features } = params;
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < features; i++)
      y[tiled(y_features, row) + place[features + i]! * TILE] = x[tiled(x_features, row) + place[i]! * TILE]!;
});
