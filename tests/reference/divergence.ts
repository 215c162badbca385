import { EVERY_PROBE, PROBE_NUMBER } from '../../src/kernels/divergence.js';
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

export const probes = defineTwin(source.probes, ({ buffers: { y }, params, constants: { PROBE }, rows, firstRow, seed }) => {
  const { dim, hidden, stream, domain, largest } = params;
  const words = (row: number, counter: number, probe: number) =>
    philox4x32([(firstRow + row) >>> 0, counter, domain, stream * 65536 + probe], keyOf(seed));
  const drawn = (bits: ReturnType<typeof words>, lane: number): number =>
    PROBE === PROBE_NUMBER.gaussian ? normalsFromBits(bits)[lane]! : bits[lane]! >= 2 ** 31 ? -1 : 1;
  for (let row = 0; row < rows; row++)
    for (let p = 0; p < hidden; p++) {
      const counts = largest === EVERY_PROBE || words(row, 0xffffffff, p)[0]! <= largest;
      for (let f = 0; f < dim; f++) {
        const value = PROBE === PROBE_NUMBER.unit ? Number(f === p) : drawn(words(row, f >> 2, p), f % 4);
        y[tiled(dim * hidden, row) + (p * dim + f) * TILE] = counts ? value : 0;
      }
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
