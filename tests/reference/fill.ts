import * as source from '../../src/kernels/generated/fill.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const fill = defineTwin(source.fill, ({ buffers: { destination }, params: { features, value }, constants: { ADD }, rows }) => {
  for (let row = 0; row < rows; row++) {
    for (let f = 0; f < features; f++) {
      const at = tiled(features, row) + f * TILE;
      destination[at] = ADD ? destination[at]! + value : value;
    }
  }
});
