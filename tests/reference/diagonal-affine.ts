import * as source from '../../src/kernels/generated/diagonal-affine.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

/** The factor's two parts add up exactly in float64, so nothing of the shader's split is repeated here. */
export const diagonalAffine = defineTwin(source.diagonalAffine, ({ buffers: { x, constants: table, y }, params: { features }, rows }) => {
  for (let row = 0; row < rows; row++) {
    for (let f = 0; f < features; f++) {
      const at = tiled(features, row) + f * TILE;
      y[at] = (x[at]! - table[f]!) * (table[features + f]! + table[2 * features + f]!) + table[3 * features + f]!;
    }
  }
});
