import * as source from '../../src/kernels/generated/permute.js';
import { ZERO } from '../../src/kernels/permute.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const permute = defineTwin(source.permute, ({ buffers: { x, index, y }, params, rows }) => {
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < params.features; f++)
      y[tiled(params.features, row) + f * TILE] = index[f] === ZERO ? 0 : x[tiled(params.source_features, row) + index[f]! * TILE]!;
});
