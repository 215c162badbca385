import * as source from '../../src/kernels/generated/minibatch.js';
import { TILE, tiled } from './layout.js';
import { philox4x32 } from './math.js';
import { defineTwin } from './twin.js';

/** Row `place` of an epoch. */
export function shuffled(place: number, epoch: number, count: number, half: number, seed: number): number {
  const mask = 2 ** half - 1;
  let at = place;
  do {
    let [left, right] = [Math.floor(at / 2 ** half), at & mask];
    for (let round = 0; round < 4; round++) {
      const [word] = philox4x32([right, round, epoch, 0x5f], [seed % 2 ** 32, Math.floor(seed / 2 ** 32)]);
      [left, right] = [right, ((left ^ word!) & mask) >>> 0];
    }
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
