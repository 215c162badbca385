import { columnSums, sumParts, weightGradient } from '../../src/kernels/linear-backward.js';
import { defineCases, ROWS, table, tiledNormals, ULP } from './case.js';

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly rows: number;
  readonly masked?: boolean;
  readonly blocks?: number;
  readonly at?: number;
  readonly bias?: boolean;
  /** Masks that leave some strips nothing but their bias. */
  readonly closed?: boolean;
}

const gradient = ({ inputs, outputs, rows, masked = false, blocks = 1, at = 0, bias = false, closed = false }: Layer) => ({
  name: `${inputs} → ${outputs}, ${rows} rows${masked ? ', masked' : ''}${blocks > 1 ? `, ${blocks} blocks` : ''}${at > 0 ? ', slices' : ''}${bias ? ', bias' : ''}${closed ? ', closed strips' : ''}`,
  rows,
  constants: { BIAS: bias },
  params: {
    inputs,
    outputs,
    height: 1,
    width: blocks,
    kernel: 1,
    parts: 1,
    x_features: blocks * inputs + at,
    x_at: at,
    x_channel: 1,
    x_pixel: inputs,
    y_features: blocks * outputs + 2 * at,
    y_at: 2 * at,
    y_channel: 1,
    y_pixel: outputs,
  },
  buffers: {
    x: tiledNormals(blocks * inputs + at),
    d_y: tiledNormals(blocks * outputs + 2 * at),
    ranges: table(() =>
      Uint32Array.from({ length: 2 * Math.ceil(outputs / 8) }, (_, i) => {
        const strip = i >> 1;
        if (closed && (i >> 1) % 2 === 0) return i === 0 ? inputs : 0;
        if (!masked) return i % 2 === 0 ? 0 : inputs;
        return Math.min(inputs, i % 2 === 0 ? strip : 3 * strip + 1);
      }),
    ),
    d_weight: table((random) => random.normals(Math.ceil(outputs / 8) * inputs * 8)),
    d_bias: table((random) => random.normals(bias ? outputs : 1)),
  },
  tolerance: { bound: (64 + (rows * blocks) / 64) * ULP, of: 'inputs' as const },
});

interface Convolution {
  readonly inputs: number;
  readonly outputs: number;
  readonly size: readonly [height: number, width: number];
  readonly kernel: number;
  readonly rows: number;
  readonly parts?: number;
  /** Channels of a pixel side by side in x, and pixels of a channel in d_y; else the other way round. */
  readonly minor?: boolean;
}

const convolution = ({ inputs, outputs, size: [height, width], kernel, rows, parts = 1, minor = false }: Convolution) => {
  const area = height * width;
  return {
    name: `${inputs} → ${outputs}, ${height}×${width}, kernel ${kernel}, ${rows} rows, ${parts} parts${minor ? ', x by pixel' : ''}`,
    rows,
    params: {
      inputs,
      outputs,
      height,
      width,
      kernel,
      parts,
      x_features: inputs * area + 1,
      x_at: 1,
      x_channel: minor ? 1 : area,
      x_pixel: minor ? inputs : 1,
      y_features: outputs * area,
      y_at: 0,
      y_channel: minor ? area : 1,
      y_pixel: minor ? 1 : outputs,
    },
    buffers: {
      x: tiledNormals(inputs * area + 1),
      d_y: tiledNormals(outputs * area),
      ranges: table(() => Uint32Array.from({ length: 2 * Math.ceil(outputs / 8) }, (_, i) => (i % 2) * inputs)),
      d_weight: table((random) => random.normals(parts * Math.ceil(outputs / 8) * kernel * kernel * inputs * 8)),
      d_bias: table((random) => random.normals(1)),
    },
    tolerance: { bound: (64 + (rows * area) / 64) * ULP, of: 'inputs' as const },
  };
};

export const weightGradientCases = defineCases(weightGradient, [
  ...ROWS.map((rows) => gradient({ inputs: 5, outputs: 12, rows })),
  ...[1, 2, 3, 63].map((inputs) => gradient({ inputs, outputs: 64, rows: 257 })),
  ...[1, 2, 5, 7, 9, 63].map((outputs) => gradient({ inputs: 6, outputs, rows: 257 })),
  gradient({ inputs: 20, outputs: 40, rows: 257, masked: true }),
  gradient({ inputs: 5, outputs: 12, rows: 100, blocks: 3 }),
  gradient({ inputs: 5, outputs: 12, rows: 257, at: 3 }),
  ...ROWS.map((rows) => gradient({ inputs: 5, outputs: 12, rows, bias: true })),
  ...[1, 2, 63].map((inputs) => gradient({ inputs, outputs: 63, rows: 257, bias: true })),
  gradient({ inputs: 20, outputs: 40, rows: 257, masked: true, bias: true }),
  gradient({ inputs: 20, outputs: 40, rows: 257, closed: true, bias: true }),
  // One side narrow, the other in several blocks.
  gradient({ inputs: 70, outputs: 3, rows: 257, masked: true, bias: true }),
  gradient({ inputs: 3, outputs: 70, rows: 257, masked: true, bias: true }),
  gradient({ inputs: 5, outputs: 12, rows: 257, at: 3, blocks: 3, bias: true }),
  ...ROWS.map((rows) => convolution({ inputs: 3, outputs: 5, size: [4, 4], kernel: 3, rows })),
  ...[1, 3, 5, 16].map((parts) => convolution({ inputs: 9, outputs: 10, size: [4, 3], kernel: 3, rows: 66, parts, minor: true })),
  ...[1, 5].map((kernel) => convolution({ inputs: 2, outputs: 17, size: [2, 5], kernel, rows: 66, parts: 4 })),
]);

const sums = (features: number, rows: number, { at = 0, stride = 1, to = 0, blocks = 1 } = {}) => ({
  name: `${features} features, ${rows} rows${at > 0 ? ', a slice' : ''}${stride > 1 ? `, every ${stride}th` : ''}${to > 0 ? `, from ${to}` : ''}${blocks > 1 ? `, ${blocks} blocks` : ''}`,
  rows,
  params: { features, source_features: blocks * features + at, at, factor: 0.5, stride, to, blocks },
  buffers: { terms: tiledNormals(blocks * features + at), total: table((random) => random.normals(to + features * stride)) },
  tolerance: { bound: (16 * blocks + rows / 64) * ULP, of: 'inputs' as const },
});

export const columnSumsCases = defineCases(columnSums, [
  ...ROWS.map((rows) => sums(5, rows)),
  ...[1, 2, 63, 100].map((features) => sums(features, 257)),
  sums(5, 257, { at: 3 }),
  sums(5, 257, { stride: 4 }),
  sums(5, 257, { to: 8 }),
  sums(5, 257, { at: 2, blocks: 3 }),
]);

export const sumPartsCases = defineCases(
  sumParts,
  [
    [1, 1],
    [5, 3],
    [200, 16],
  ].map(([length, parts]) => ({
    name: `${length} numbers, ${parts} parts`,
    rows: 1,
    params: { length: length!, parts: parts! },
    buffers: {
      pieces: table((random) => random.normals(length! * parts!)),
      whole_sum: table((random) => random.normals(length!)),
    },
    tolerance: { bound: 16 * ULP, of: 'inputs' as const },
  })),
);
