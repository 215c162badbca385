import * as source from '../../src/kernels/generated/dequantize.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

const held = (value: number, low: number, high: number): number => (value > high ? high : value < low ? low : value);

export const dequantize = defineTwin(source.dequantize, ({ buffers: { x, u, y }, params: { features, step }, rows }) => {
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) {
      const at = tiled(features, row) + f * TILE;
      y[at] = held((x[at]! + u[at]!) * step, 2 ** -126, 1 - 2 ** -24);
    }
});

export const quantize = defineTwin(source.quantize, ({ buffers: { x, y }, params: { features, levels }, rows }) => {
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) {
      const at = tiled(features, row) + f * TILE;
      y[at] = held(Math.floor(x[at]! * levels), 0, levels - 1);
    }
});
