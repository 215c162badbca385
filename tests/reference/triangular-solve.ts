import * as source from '../../src/kernels/generated/triangular-solve.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

const RUN = 24;

/** The reciprocal's two parts add up exactly in float64, so nothing of the shader's split is repeated here. */
export const triangularSolve = defineTwin(
  source.triangularSolve,
  ({ buffers: { x, weight, constants: table, y }, params: { features: dim }, constants: { REVERSE }, rows }) => {
    for (let row = 0; row < rows; row++) {
      const at = (place: number) => tiled(dim, row) + (REVERSE ? dim - 1 - place : place) * TILE;
      for (let place = 0; place < dim; place++) {
        const first = place - (place % 8);
        const entry = (q: number) => weight[((first / 8) * dim + q) * 8 + (place % 8)]!;
        let total = 0;
        for (let start = 0; start < first; start += RUN) {
          let part = 0;
          for (let q = start; q < Math.min(start + RUN, first); q++) part += entry(q) * y[at(q)]!;
          total += part;
        }
        let inside = 0;
        for (let q = first; q < place; q++) inside += entry(q) * y[at(q)]!;
        const value = x[at(place)]! - table[place]! - (total + inside);
        y[at(place)] = value * (table[dim + place]! + table[2 * dim + place]!);
      }
    }
  },
);
