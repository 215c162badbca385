import * as source from '../../src/kernels/generated/conv2d-backward.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const rectifyBackward = defineTwin(
  source.rectifyBackward,
  ({ buffers: { value, d_value, d_sum }, params: { features, slope }, rows }) => {
    for (let row = 0; row < rows; row++)
      for (let f = 0; f < features; f++) {
        const at = tiled(features, row) + f * TILE;
        d_sum[at] = value[at]! > 0 ? d_value[at]! : slope * d_value[at]!;
      }
  },
);

export const pixelSums = defineTwin(source.pixelSums, ({ buffers: { terms, sums }, params, rows }) => {
  const { features, source_features, at, channel, pixel, pixels } = params;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) {
      let sum = 0;
      for (let p = 0; p < pixels; p++) sum += terms[tiled(source_features, row) + (at + f * channel + p * pixel) * TILE]!;
      sums[tiled(features, row) + f * TILE] = sum;
    }
});

export const centerPixels = defineTwin(source.centerPixels, ({ buffers: { terms, bias, centered }, params, rows }) => {
  const { features, pixels, bias_at, source_features, at, channel, pixel } = params;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) {
      const c = Math.floor(f / pixels);
      const from = at + c * channel + (f % pixels) * pixel;
      centered[tiled(features, row) + f * TILE] = terms[tiled(source_features, row) + from * TILE]! + bias[bias_at + c]!;
    }
});
