import { halfBits, minibatch } from '../../src/kernels/minibatch.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';

const batch = (count: number, features: number, rows: number, step = 0, epoch = 0) => ({
  name: `${rows} of ${count} rows, ${features} features, from place ${step} of epoch ${epoch}`,
  rows,
  seed: 2 ** 40 + 5,
  sequence: { step, steps: epoch, period: 0 },
  params: { features, count, half_bits: halfBits(count) },
  buffers: { data: table((random) => random.normals(count * features)), y: tiledNormals(features) },
  tolerance: { bound: 0 },
});

export const minibatchCases = defineCases(minibatch, [
  ...ROWS.map((rows) => batch(1000, 3, rows, 17, 2)),
  ...[1, 2, 3, 5, 63, 64, 65, 1025].map((count) => batch(count, 2, 257, 0, 1)),
  batch(70000, 1, 257, 69900, 3),
]);
