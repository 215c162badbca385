import * as source from '../../src/kernels/generated/uniform.js';
import { TILE, tiled } from './layout.js';
import { philox4x32, uniform01 } from './math.js';
import { keyOf } from './standard-normal.js';
import { defineTwin } from './twin.js';

export const sample = defineTwin(source.sample, ({ buffers: { z }, params: { dim, low, high }, rows, firstRow, seed }) => {
  for (let row = 0; row < rows; row++) {
    for (let part = 0; 4 * part < dim; part++) {
      const drawn = philox4x32([(firstRow + row) >>> 0, part, 2, 0], keyOf(seed)).map(uniform01);
      for (let lane = 0; lane < Math.min(4, dim - 4 * part); lane++)
        z[tiled(dim, row) + (4 * part + lane) * TILE] = low + (high - low) * drawn[lane]!;
    }
  }
});

export const logDensity = defineTwin(source.logDensity, ({ buffers, params: { dim, low, high, log_volume, sign }, rows }) => {
  const { source: z, log_det, log_prob } = buffers;
  for (let row = 0; row < rows; row++) {
    let density = -log_volume;
    for (let f = 0; f < dim; f++) {
      const value = z[tiled(dim, row) + f * TILE]!;
      if (Number.isNaN(value)) density = Number.NaN;
      else if (value < low || value > high) density = Number.isNaN(density) ? density : Number.NEGATIVE_INFINITY;
    }
    log_prob[row] = sign * log_det[row]! + density;
  }
});
