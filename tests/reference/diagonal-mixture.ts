import * as source from '../../src/kernels/generated/diagonal-mixture.js';
import { TILE, tiled } from './layout.js';
import { philox4x32 } from './math.js';
import { keyOf } from './standard-normal.js';
import { defineTwin } from './twin.js';

export const sample = defineTwin(
  source.sample,
  ({ buffers: { source: noise, table, thresholds, z }, params: { dim, components }, rows, firstRow, seed }) => {
    for (let row = 0; row < rows; row++) {
      const draw = philox4x32([(firstRow + row) >>> 0, 0, 1, 0], keyOf(seed))[0];
      let k = 0;
      while (k + 1 < components && draw >= thresholds[k]!) k++;
      for (let f = 0; f < dim; f++) {
        const mean = components + k * dim + f;
        const at = tiled(dim, row) + f * TILE;
        z[at] = table[mean]! + table[mean + components * dim]! * noise[at]!;
      }
    }
  },
);

export const logDensity = defineTwin(
  source.logDensity,
  ({ buffers: { source: z, table, log_det, log_prob }, params: { dim, components, sign }, rows }) => {
    for (let row = 0; row < rows; row++) {
      let top = -3.0e38;
      let sum = 0;
      for (let k = 0; k < components; k++) {
        let square = 0;
        for (let f = 0; f < dim; f++) {
          const mean = components + k * dim + f;
          square += ((z[tiled(dim, row) + f * TILE]! - table[mean]!) * table[mean + components * dim]!) ** 2;
        }
        const value = table[k]! - 0.5 * square;
        const higher = value > top ? value : top;
        sum = sum * Math.exp(top - higher) + Math.exp(value - higher);
        top = higher;
      }
      log_prob[row] = sign * log_det[row]! + top + Math.log(sum);
    }
  },
);
