import { channelMatrix, channelMatrixBackward } from '../../src/kernels/channel-matrix-backward.js';
import { channelMatrix as twin } from '../reference/channel-matrix-backward.js';
import { Random } from '../support/random.js';
import { defineCases, table, ULP } from './case.js';

const SIZES = [1, 2, 5, 8, 48, 63];

/** The same for one size: what was made of them is a buffer of its own. A and R near triangles that one can invert, signs ±1. */
const entriesOf = (n: number): Float32Array<ArrayBuffer> => {
  const random = new Random(n);
  const signs = Array.from({ length: n }, () => (random.uniform() < 0.5 ? -1 : 1));
  return Float32Array.from([...random.normals(2 * n * n, 1 / Math.sqrt(n)), ...random.normals(n, 0.3), ...signs]);
};

const strips = (n: number): number => Math.ceil(n / 8) * 8 * n;

const made = (n: number): Float32Array<ArrayBuffer> => {
  const weight = new Float64Array(strips(n));
  const buffers = { entries: Float64Array.from(entriesOf(n)), start: new Float64Array(1), weight, log_det: new Float64Array(1) };
  twin.run({ rows: 1, firstRow: 0, seed: 0, contextStride: 1, buffers, params: { channels: n, pixels: 1 }, constants: {} } as never);
  return Float32Array.from(weight);
};

const normals = (length: number) => table((random) => random.normals(length));

const shape = (n: number) => ({
  name: `${n} channels`,
  rows: 1,
  params: { channels: n, pixels: n === 5 ? 16 : 1 },
  tolerance: { bound: (16 + n) * ULP },
});

export const channelMatrixCases = defineCases(
  channelMatrix,
  SIZES.map((n) => ({
    ...shape(n),
    buffers: { entries: table(() => entriesOf(n)), start: normals(1), weight: normals(strips(n)), log_det: normals(1) },
  })),
);

export const channelMatrixBackwardCases = defineCases(
  channelMatrixBackward,
  SIZES.map((n) => ({
    ...shape(n),
    buffers: {
      entries: table(() => entriesOf(n)),
      made: table(() => made(n)),
      d_weight: normals(strips(n)),
      d_log_det: normals(1),
      d_entries: normals(2 * n * n + 2 * n),
      d_start: normals(1),
    },
  })),
);
