import * as source from '../../src/kernels/generated/linear-backward.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const weightGradient = defineTwin(source.weightGradient, ({ buffers: { x, d_y, ranges, d_weight }, params, rows }) => {
  const { inputs, outputs, x_features, x_at, y_features, y_at, blocks } = params;
  for (let o = 0; o < outputs; o++) {
    const strip = Math.floor(o / 8);
    for (let k = 0; k < inputs; k++) {
      // Whole blocks of 8 inputs are taken or left; the place of a masked weight inside one takes a sum that nothing reads.
      const first = 8 * Math.floor(k / 8);
      if (first >= ranges[2 * strip + 1]! || first + 8 <= ranges[2 * strip]!) continue;
      let sum = 0;
      for (let part = 0; part < blocks; part++)
        for (let row = 0; row < rows; row++)
          sum +=
            x[tiled(x_features, row) + (x_at + part * inputs + k) * TILE]! *
            d_y[tiled(y_features, row) + (y_at + part * outputs + o) * TILE]!;
      d_weight[(strip * inputs + k) * 8 + (o % 8)]! += sum;
    }
  }
});

export const columnSums = defineTwin(source.columnSums, ({ buffers: { terms, total }, params, rows }) => {
  for (let f = 0; f < params.features; f++) {
    let sum = 0;
    for (let b = 0; b < params.blocks; b++)
      for (let row = 0; row < rows; row++) sum += terms[tiled(params.source_features, row) + (params.at + b * params.features + f) * TILE]!;
    total[f * params.stride]! += params.factor * sum;
  }
});
