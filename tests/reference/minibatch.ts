import * as source from '../../src/kernels/generated/minibatch.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

/** A bijection of 32 bits. */
function spread(word: number): number {
  let x = word >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

/** Row `place` of an epoch. */
export function shuffled(place: number, epoch: number, count: number, half: number, seed: number): number {
  const mask = 2 ** half - 1;
  const key = spread((seed % 2 ** 32) ^ spread(Math.floor(seed / 2 ** 32) ^ spread(epoch)));
  let at = place;
  do {
    let [left, right] = [Math.floor(at / 2 ** half), at & mask];
    for (let round = 1; round <= 4; round++)
      [left, right] = [right, ((left ^ spread(right ^ (key + Math.imul(round, 0x9e3779b9)))) & mask) >>> 0];
    at = left * 2 ** half + right;
  } while (at >= count);
  return at;
}

export const minibatch = defineTwin(source.minibatch, ({ buffers: { data, y }, params, rows, firstRow, step = 0, steps = 0 }) => {
  const { features, count, half_bits, seed_low, seed_high } = params;
  for (let row = 0; row < rows; row++) {
    const at = step + firstRow + row;
    const from = shuffled(at % count, steps + Math.floor(at / count), count, half_bits, seed_low + 2 ** 32 * seed_high);
    for (let f = 0; f < features; f++) y[tiled(features, row) + f * TILE] = data[from * features + f]!;
  }
});
