import * as source from '../../src/kernels/generated/pack.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const pack = defineTwin(source.pack, ({ buffers: { outside, inside }, params, rows, contextStride }) => {
  const stride = (params.is_context === 1 ? contextStride : 1) * params.features;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < params.features; f++) inside[tiled(params.features, row) + f * TILE] = outside[row * stride + f]!;
});

export const unpack = defineTwin(source.unpack, ({ buffers: { result, tensor }, params: { features }, rows }) => {
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) result[row * features + f] = tensor[tiled(features, row) + f * TILE]!;
});
