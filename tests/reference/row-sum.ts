import * as source from '../../src/kernels/generated/row-sum.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

const blockedSum = (terms: ArrayLike<number>, base: number, first: number, end: number): number => {
  let sum = 0;
  for (let start = first; start < end; start += 8) {
    let part = 0;
    for (let f = start; f < Math.min(start + 8, end); f++) part += terms[base + f * TILE]!;
    sum += part;
  }
  return sum;
};

export const rowSum = defineTwin(source.rowSum, ({ buffers: { terms, total }, params: { features }, rows }) => {
  for (let row = 0; row < rows; row++) total[row]! += blockedSum(terms, tiled(features, row), 0, features);
});

export const partialSums = defineTwin(source.partialSums, ({ buffers: { terms, partials }, params: { features }, rows }) => {
  const count = Math.ceil(features / 64);
  for (let row = 0; row < rows; row++)
    for (let b = 0; b < count; b++)
      partials[tiled(count, row) + b * TILE] = blockedSum(terms, tiled(features, row), 64 * b, Math.min(64 * b + 64, features));
});
