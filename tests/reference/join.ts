import * as source from '../../src/kernels/generated/join.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const join = defineTwin(source.join, ({ buffers: { leading, whole_tensor, y }, params, rows }) => {
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < params.features; f++) {
      const at = tiled(params.features, row) + f * TILE;
      y[at] =
        f < params.leading_features
          ? leading[tiled(params.leading_features, row) + f * TILE]!
          : whole_tensor[tiled(params.whole_features, row) + (f - params.shift) * TILE]!;
    }
});
