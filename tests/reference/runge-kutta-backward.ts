import * as source from '../../src/kernels/generated/runge-kutta-backward.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const advanceBackward = defineTwin(source.advanceBackward, ({ buffers, params, constants: { ADD }, rows }) => {
  const { d_y, coefficients, d_k } = buffers;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < params.features; f++)
      for (let i = 0; i < params.terms; i++) {
        const at = tiled(params.k_features, row) + (i * params.k_stride + f) * TILE;
        const part = coefficients[i]! * d_y[tiled(params.y_features, row) + (params.y_at + f) * TILE]!;
        d_k[at] = (ADD ? d_k[at]! : 0) + part;
      }
});
