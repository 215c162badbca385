import * as source from '../../src/kernels/generated/multiply-add.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const multiplyAdd = defineTwin(source.multiplyAdd, ({ buffers: { a, b, y }, params, constants, rows }) => {
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < params.features; f++) {
      let value = params.factor * a[tiled(params.a_features, row) + (params.a_at + f) * TILE]!;
      if (constants.HAS_B) value *= b[tiled(params.b_features, row) + (f % params.b_features) * TILE]!;
      const at = tiled(params.y_features, row) + (params.y_at + f) * TILE;
      y[at] = constants.ADD ? y[at]! + value : value;
    }
});
