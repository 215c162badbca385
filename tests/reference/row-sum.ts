import * as source from '../../src/kernels/generated/row-sum.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const rowSum = defineTwin(source.rowSum, ({ buffers: { terms, total }, params: { features }, rows }) => {
  for (let row = 0; row < rows; row++) {
    const base = tiled(features, row);
    let sum = 0;
    for (let start = 0; start < features; start += 8) {
      let part = 0;
      for (let f = start; f < Math.min(start + 8, features); f++) part += terms[base + f * TILE]!;
      sum += part;
    }
    total[row]! += sum;
  }
});
