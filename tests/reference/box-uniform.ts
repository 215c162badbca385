import * as source from '../../src/kernels/generated/box-uniform.js';
import { TILE, tiled } from './layout.js';
import { philox4x32, uniform01 } from './math.js';
import { keyOf } from './standard-normal.js';
import { defineTwin } from './twin.js';

export const sample = defineTwin(source.sample, ({ buffers: { z, bounds }, params: { dim }, rows, firstRow, seed }) => {
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < dim; f++) {
      const words = philox4x32([(firstRow + row) >>> 0, Math.floor(f / 4), 0, 0], keyOf(seed));
      const [low, high] = [bounds[f]!, bounds[dim + f]!];
      z[tiled(dim, row) + f * TILE] = low + (high - low) * uniform01(words[f % 4]!);
    }
});

export const logDensity = defineTwin(
  source.logDensity,
  ({ buffers: { source: z, bounds, log_det, log_prob }, params: { dim, sign, constant }, rows }) => {
    for (let row = 0; row < rows; row++) {
      const values = Array.from({ length: dim }, (_, f) => z[tiled(dim, row) + f * TILE]!);
      const total = sign * log_det[row]! + constant;
      const outside = values.some((value, f) => value < bounds[f]! || value > bounds[dim + f]!);
      if (Number.isNaN(total) || values.some(Number.isNaN)) log_prob[row] = Number.NaN;
      else log_prob[row] = outside ? Number.NEGATIVE_INFINITY : total;
    }
  },
);
