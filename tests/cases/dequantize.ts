import { dequantization } from '../../src/kernels/dequantize.js';
import type { Random } from '../support/random.js';
import { type BufferSpec, defineCases, ROWS, tiledNormals } from './case.js';

const made = (features: number, value: (random: Random) => number): BufferSpec => ({
  layout: 'tiled',
  make: (random, rows) =>
    tiledNormals(features)
      .make(random, rows)
      .map((old) => (Number.isNaN(old) ? old : value(random))) as Float32Array<ArrayBuffer>,
});

const up = (features: number, rows: number, levels: number, edge = false) => ({
  name: `D ${features}, ${rows} rows, ${levels} levels${edge ? ', last level, u next to 1' : ''}`,
  rows,
  params: { features, levels, step: 1 / levels },
  buffers: {
    x: made(features, (random) => (edge ? levels - 1 : random.integer(levels))),
    u: made(features, (random) => (edge ? 1 - 2 ** -24 : random.uniform())),
    y: tiledNormals(features),
  },
  tolerance: { bound: edge ? 0 : 2e-7 }, // the edge is one number
});

export const dequantizeCases = defineCases(dequantization.dequantize, [
  ...ROWS.map((rows) => up(5, rows, 256)),
  ...[1, 2, 63].map((features) => up(features, 257, 2)),
  up(2, 257, 10),
  up(2, 257, 10, true),
  up(2, 257, 65536, true),
]);

// Powers of two: then y levels is exact, and so is its floor. Beyond the unit interval, and NaN, for what is kept.
const down = (features: number, rows: number, levels: number) => ({
  name: `D ${features}, ${rows} rows, ${levels} levels`,
  rows,
  params: { features, levels, step: 1 / levels },
  buffers: {
    x: made(features, (random) => (random.uniform() < 0.1 ? Number.NaN : -0.2 + 1.4 * random.uniform())),
    y: tiledNormals(features),
  },
  tolerance: { bound: 0 },
});

export const quantizeCases = defineCases(dequantization.quantize, [
  ...ROWS.map((rows) => down(5, rows, 256)),
  ...[1, 2, 63].map((features) => down(features, 257, 2)),
]);
