import * as source from '../../src/kernels/generated/log-determinant.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const logDeterminant = defineTwin(source.logDeterminant, ({ buffers: { matrix, log_det }, params: { dim, sign }, rows }) => {
  for (let row = 0; row < rows; row++) {
    const at = (i: number, j: number) => tiled(dim * dim, row) + (i * dim + j) * TILE;
    let sum = 0;
    for (let k = 0; k < dim; k++) {
      const pivot = matrix[at(k, k)]!;
      sum += Math.log1p(pivot);
      for (let i = k + 1; i < dim; i++) {
        matrix[at(i, k)]! /= 1 + pivot;
        for (let j = k + 1; j < dim; j++) matrix[at(i, j)]! -= matrix[at(i, k)]! * matrix[at(k, j)]!;
      }
    }
    log_det[row]! += sign * sum;
  }
});
