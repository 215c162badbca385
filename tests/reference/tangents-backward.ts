import * as source from '../../src/kernels/generated/tangents-backward.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const tangentsBackward = defineTwin(
  source.tangentsBackward,
  ({ buffers: { x, d_y, d_slope }, params, constants: { ADD }, rows }) => {
    const { features, blocks } = params;
    for (let row = 0; row < rows; row++)
      for (let f = 0; f < features; f++) {
        let sum = 0;
        for (let b = 0; b < blocks; b++) {
          const at = tiled(features * blocks, row) + (b * features + f) * TILE;
          sum += x[at]! * d_y[at]!;
        }
        const to = tiled(features, row) + f * TILE;
        d_slope[to] = (ADD ? d_slope[to]! : 0) + sum;
      }
  },
);
