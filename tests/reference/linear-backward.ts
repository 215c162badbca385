import * as source from '../../src/kernels/generated/linear-backward.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const weightGradient = defineTwin(
  source.weightGradient,
  ({ buffers: { x, d_y, ranges, d_weight, d_bias }, params, constants, rows }) => {
    const { inputs, outputs, height, width, kernel, parts } = params;
    const area = height * width;
    const reach = (kernel - 1) / 2;
    const strips = Math.ceil(outputs / 8);
    for (let o = 0; o < outputs; o++) {
      const strip = Math.floor(o / 8);
      if (constants.BIAS)
        for (let p = 0; p < area; p++) {
          const yAt = params.y_at + o * params.y_channel + p * params.y_pixel;
          for (let n = 0; n < rows; n++) d_bias[o]! += d_y[tiled(params.y_features, n) + yAt * TILE]!;
        }
      for (let k = 0; k < inputs; k++) {
        // Whole blocks of 8 inputs are taken or left; the place of a masked weight inside one takes a sum that nothing reads.
        const first = 8 * Math.floor(k / 8);
        if (first >= ranges[2 * strip + 1]! || first + 8 <= ranges[2 * strip]!) continue;
        for (let tap = 0; tap < kernel * kernel; tap++)
          for (let p = 0; p < area; p++) {
            const row = Math.floor(p / width) + Math.floor(tap / kernel) - reach;
            const column = (p % width) + (tap % kernel) - reach;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const xAt = params.x_at + k * params.x_channel + (row * width + column) * params.x_pixel;
            const yAt = params.y_at + o * params.y_channel + p * params.y_pixel;
            let sum = 0;
            for (let n = 0; n < rows; n++)
              sum += x[tiled(params.x_features, n) + xAt * TILE]! * d_y[tiled(params.y_features, n) + yAt * TILE]!;
            const part = Math.floor(p / Math.ceil(area / parts));
            d_weight[(((part * strips + strip) * kernel * kernel + tap) * inputs + k) * 8 + (o % 8)]! += sum;
          }
      }
    }
  },
);

export const sumParts = defineTwin(source.sumParts, ({ buffers: { pieces, whole_sum }, params: { length, parts } }) => {
  for (let i = 0; i < length; i++) for (let part = 0; part < parts; part++) whole_sum[i]! += pieces[part * length + i]!;
});

export const columnSums = defineTwin(source.columnSums, ({ buffers: { terms, total }, params, rows }) => {
  for (let f = 0; f < params.features; f++) {
    let sum = 0;
    for (let b = 0; b < params.blocks; b++)
      for (let row = 0; row < rows; row++) sum += terms[tiled(params.source_features, row) + (params.at + b * params.features + f) * TILE]!;
    total[params.to + f * params.stride]! += params.factor * sum;
  }
});
