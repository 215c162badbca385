import * as source from '../../src/kernels/generated/standard-normal.js';
import { TILE, tiled } from './layout.js';
import { normalsFromBits, philox4x32 } from './math.js';
import { defineTwin } from './twin.js';

/** Low and high word of a seed below 2^53. */
export const keyOf = (seed: number): readonly [number, number] => [seed % 2 ** 32, Math.floor(seed / 2 ** 32)];

export const sample = defineTwin(source.sample, ({ buffers: { z }, params: { dim }, rows, firstRow, seed }) => {
  for (let row = 0; row < rows; row++) {
    for (let block = 0; 4 * block < dim; block++) {
      const drawn = normalsFromBits(philox4x32([(firstRow + row) >>> 0, block, 0, 0], keyOf(seed)));
      for (let lane = 0; lane < Math.min(4, dim - 4 * block); lane++) z[tiled(dim, row) + (4 * block + lane) * TILE] = drawn[lane]!;
    }
  }
});

export const logDensity = defineTwin(source.logDensity, ({ buffers: { source: z, log_det, log_prob }, params: { dim, sign }, rows }) => {
  for (let row = 0; row < rows; row++) {
    const base = tiled(dim, row);
    let sum = 0;
    for (let start = 0; start < dim; start += 8) {
      let part = 0;
      for (let f = start; f < Math.min(start + 8, dim); f++) part += z[base + f * TILE]! ** 2;
      sum += part;
    }
    log_prob[row] = sign * log_det[row]! - (0.5 * sum + dim * 0.5 * Math.log(2 * Math.PI));
  }
});
