import * as source from '../../src/kernels/generated/householder.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

/** One reflection after the other, each in two passes: the shader's overlap of the two changes nothing but the order of the steps. */
export const householder = defineTwin(
  source.householder,
  ({ buffers: { x, vectors, constants: table, y }, params: { features: dim, reflections }, constants: { REVERSE }, rows }) => {
    for (let row = 0; row < rows; row++) {
      const at = (f: number) => tiled(dim, row) + f * TILE;
      const shift = (f: number) => table[2 * reflections + f]!;
      for (let f = 0; f < dim; f++) y[at(f)] = x[at(f)]! - (REVERSE ? shift(f) : 0);
      for (let step = 0; step < reflections; step++) {
        const k = REVERSE ? reflections - 1 - step : step;
        let inner = 0;
        for (let f = 0; f < dim; f++) inner += vectors[k * dim + f]! * y[at(f)]!;
        const factor = inner * (table[k]! + table[reflections + k]!);
        for (let f = 0; f < dim; f++) y[at(f)]! -= factor * vectors[k * dim + f]!;
      }
      if (!REVERSE) for (let f = 0; f < dim; f++) y[at(f)]! += shift(f);
    }
  },
);
