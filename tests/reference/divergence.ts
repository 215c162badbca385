import * as source from '../../src/kernels/generated/divergence.js';
import { TILE, tiled } from './layout.js';
import { normalsFromBits, philox4x32 } from './math.js';
import { keyOf } from './standard-normal.js';
import { defineTwin } from './twin.js';

const RUN = 24;

/** Sum of term(0) … term(count − 1) in runs. */
function inRuns(count: number, term: (index: number) => number): number {
  let sum = 0;
  for (let start = 0; start < count; start += RUN) {
    let part = 0;
    for (let i = start; i < Math.min(start + RUN, count); i++) part += term(i);
    sum += part;
  }
  return sum;
}

export const trace = defineTwin(source.trace, ({ buffers: { tangents, slope, weight, scale, total }, params, constants, rows }) => {
  const { dim, hidden } = params;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let b = 0; b < dim; b++) {
      const at = tiled(dim * hidden, row) + b * hidden * TILE;
      const entry = inRuns(hidden, (k) => {
        const value = tangents[at + k * TILE]! * (constants.SLOPE ? slope[tiled(hidden, row) + k * TILE]! : 1);
        return weight[b * hidden + k]! * value;
      });
      sum += entry * (constants.SCALE ? scale[params.scale_at + b]! : 1);
    }
    total[tiled(params.total_features, row) + params.total_at * TILE] = sum;
  }
});

export const probes = defineTwin(source.probes, ({ buffers: { y }, params: { dim, hidden, stream }, constants, rows, firstRow, seed }) => {
  for (let row = 0; row < rows; row++)
    for (let p = 0; p < hidden; p++)
      for (let f = 0; f < dim; f++) {
        const bits = philox4x32([(firstRow + row) >>> 0, f >> 2, 2, stream * 65536 + p], keyOf(seed));
        const value = constants.RADEMACHER ? (bits[f % 4]! >= 2 ** 31 ? -1 : 1) : normalsFromBits(bits)[f % 4]!;
        y[tiled(dim * hidden, row) + (p * dim + f) * TILE] = value;
      }
});

export const probeSum = defineTwin(source.probeSum, ({ buffers: { tangents, image, total }, params, rows }) => {
  const all = params.dim * params.hidden;
  for (let row = 0; row < rows; row++) {
    const base = tiled(all, row);
    const sum = inRuns(all, (f) => tangents[base + f * TILE]! * image[base + f * TILE]!);
    total[tiled(params.total_features, row) + params.total_at * TILE] = params.factor * sum;
  }
});
