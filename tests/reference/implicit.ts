import * as source from '../../src/kernels/generated/implicit.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const implicit = defineTwin(source.implicit, ({ buffers: { value, goal, image, log_slope, y }, params: { features }, rows }) => {
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) {
      const at = tiled(features, row) + f * TILE;
      y[at] = value[at]! + (goal[at]! - image[at]!) * Math.exp(-log_slope[at]!);
    }
});
