import { bernoulli } from '../../src/kernels/bernoulli.js';
import { type BufferSpec, defineCases, ROWS, tiledNormals, ULP } from './case.js';

/** Bits, grey values between them, and with `odd` some outside. NaN beyond the batch. */
const greys = (features: number, odd = false): BufferSpec => ({
  layout: 'tiled',
  make: (random, rows) =>
    tiledNormals(features)
      .make(random, rows)
      .map((value) => {
        const choice = random.uniform();
        const grey = choice < 0.4 ? 0 : choice < 0.8 ? 1 : random.uniform();
        return Number.isNaN(value) ? value : odd && choice > 0.99 ? 1.5 : grey;
      }) as Float32Array<ArrayBuffer>,
});

const draw = (dim: number, rows: number, seed: number, firstRow = 0) => ({
  name: `D ${dim}, ${rows} rows from ${firstRow}, seed ${seed}`,
  rows,
  seed,
  firstRow,
  params: { dim, sign: 1 },
  buffers: { logits: tiledNormals(dim, 2), z: tiledNormals(dim) },
  tolerance: { bound: 0 },
});

export const bernoulliSampleCases = defineCases(bernoulli.sample, [
  ...ROWS.map((rows) => draw(5, rows, 2026)),
  ...[1, 2, 4, 63].map((dim) => draw(dim, 257, 7)),
  draw(2, 257, 2026, 65_536 + 64),
]);

const mass = (dim: number, rows: number, { sign = 1, scale = 2, odd = false } = {}) => ({
  name: `D ${dim}, ${rows} rows, logits of ${scale}, sign ${sign}${odd ? ', some no bits' : ''}`,
  rows,
  params: { dim, sign },
  buffers: { source: greys(dim, odd), logits: tiledNormals(dim, scale), log_det: tiledNormals(1), log_prob: tiledNormals(1) },
  tolerance: { bound: (8 + dim / 8) * ULP },
});

export const bernoulliMassCases = defineCases(bernoulli.logMass, [
  ...ROWS.map((rows) => mass(5, rows)),
  ...[1, 2, 63, 784].map((dim) => mass(dim, 257)),
  mass(5, 257, { sign: -1 }),
  mass(5, 257, { scale: 100 }),
  mass(5, 257, { odd: true }),
]);
