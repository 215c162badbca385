import { halfBits, minibatch } from '../../src/kernels/minibatch.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';

const batch = (count: number, features: number, rows: number, step = 0, epoch = 0, firstRow = 0) => ({
  name: `${rows} of ${count} rows, ${features} features, from place ${step} of epoch ${epoch}${firstRow > 0 ? `, after ${firstRow}` : ''}`,
  rows,
  firstRow,
  sequence: { step, steps: epoch, period: 0 },
  params: { features, count, half_bits: halfBits(count), seed_low: 5, seed_high: 256 },
  buffers: { data: table((random) => random.normals(count * features)), y: tiledNormals(features) },
  tolerance: { bound: 0 },
});

export const minibatchCases = defineCases(minibatch, [
  ...ROWS.map((rows) => batch(1000, 3, rows, 17, 2)),
  ...[1, 2, 3, 5, 63, 64, 65, 1025].map((count) => batch(count, 2, 257, 0, 1)),
  batch(70000, 1, 257, 69900, 3),
  batch(1000, 2, 65, 900, 2, 128),
]);
