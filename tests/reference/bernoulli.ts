import * as source from '../../src/kernels/generated/bernoulli.js';
import { TILE, tiled } from './layout.js';
import { philox4x32, sigmoid, softplus, uniform01 } from './math.js';
import { keyOf } from './standard-normal.js';
import { defineTwin } from './twin.js';

export const sample = defineTwin(source.sample, ({ buffers: { logits, z }, params: { dim }, rows, firstRow, seed }) => {
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < dim; f++) {
      const word = philox4x32([(firstRow + row) >>> 0, Math.floor(f / 4), 0, 0], keyOf(seed))[f % 4]!;
      const at = tiled(dim, row) + f * TILE;
      z[at] = uniform01(word) < sigmoid(logits[at]!) ? 1 : 0;
    }
});

export const logMass = defineTwin(source.logMass, ({ buffers, params: { dim, sign }, rows }) => {
  const { source: x, logits, log_det, log_prob } = buffers;
  for (let row = 0; row < rows; row++) {
    let sum = sign * log_det[row]!;
    for (let f = 0; f < dim; f++) {
      const at = tiled(dim, row) + f * TILE;
      const inside = x[at]! >= 0 && x[at]! <= 1;
      sum -=
        inside || Number.isNaN(x[at]!) ? x[at]! * softplus(-logits[at]!) + (1 - x[at]!) * softplus(logits[at]!) : Number.POSITIVE_INFINITY;
    }
    log_prob[row] = sum;
  }
});
