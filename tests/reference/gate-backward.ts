import * as source from '../../src/kernels/generated/gate-backward.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const gate = defineTwin(source.gate, ({ buffers: { x, table, y }, params, constants: { SHIFT, ADD }, rows }) => {
  const { features, blocks, scale_at, shift_at } = params;
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < features * blocks; i++) {
      const value = x[tiled(params.x_features, row) + (params.x_at + i) * TILE]! * table[scale_at + (i % features)]!;
      const at = tiled(params.y_features, row) + (params.y_at + i) * TILE;
      y[at] = (ADD ? y[at]! : 0) + value + (SHIFT ? table[shift_at + (i % features)]! : 0);
    }
});

export const gateSums = defineTwin(source.gateSums, ({ buffers: { x, d_y, d_table }, params, constants: { SHIFT }, rows }) => {
  const { features, blocks, scale_at, shift_at } = params;
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < features * blocks; i++) {
      const gradient = d_y[tiled(params.y_features, row) + (params.y_at + i) * TILE]!;
      d_table[scale_at + (i % features)]! += gradient * x[tiled(params.x_features, row) + (params.x_at + i) * TILE]!;
      if (SHIFT) d_table[shift_at + (i % features)]! += gradient;
    }
});
