import { columnSums, weightGradient } from '../../src/kernels/linear-backward.js';
import { defineCases, ROWS, table, tiledNormals, ULP } from './case.js';

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly rows: number;
  readonly masked?: boolean;
  readonly blocks?: number;
  readonly at?: number;
}

const gradient = ({ inputs, outputs, rows, masked = false, blocks = 1, at = 0 }: Layer) => ({
  name: `${inputs} → ${outputs}, ${rows} rows${masked ? ', masked' : ''}${blocks > 1 ? `, ${blocks} blocks` : ''}${at > 0 ? ', slices' : ''}`,
  rows,
  params: {
    inputs,
    outputs,
    x_features: blocks * inputs + at,
    x_at: at,
    y_features: blocks * outputs + 2 * at,
    y_at: 2 * at,
    blocks,
  },
  buffers: {
    x: tiledNormals(blocks * inputs + at),
    d_y: tiledNormals(blocks * outputs + 2 * at),
    ranges: table(() =>
      Uint32Array.from({ length: 2 * Math.ceil(outputs / 8) }, (_, i) => {
        const strip = i >> 1;
        if (!masked) return i % 2 === 0 ? 0 : inputs;
        return Math.min(inputs, i % 2 === 0 ? strip : 3 * strip + 1);
      }),
    ),
    d_weight: table((random) => random.normals(Math.ceil(outputs / 8) * inputs * 8)),
  },
  tolerance: { bound: (64 + (rows * blocks) / 64) * ULP, of: 'inputs' as const },
});

export const weightGradientCases = defineCases(weightGradient, [
  ...ROWS.map((rows) => gradient({ inputs: 5, outputs: 12, rows })),
  ...[1, 2, 3, 63].map((inputs) => gradient({ inputs, outputs: 64, rows: 257 })),
  ...[1, 2, 5, 7, 9, 63].map((outputs) => gradient({ inputs: 6, outputs, rows: 257 })),
  gradient({ inputs: 20, outputs: 40, rows: 257, masked: true }),
  gradient({ inputs: 5, outputs: 12, rows: 100, blocks: 3 }),
  gradient({ inputs: 5, outputs: 12, rows: 257, at: 3 }),
]);

const sums = (features: number, rows: number, at = 0, stride = 1, blocks = 1) => ({
  name: `${features} features, ${rows} rows${at > 0 ? ', a slice' : ''}${stride > 1 ? `, every ${stride}th` : ''}${blocks > 1 ? `, ${blocks} blocks` : ''}`,
  rows,
  params: { features, source_features: blocks * features + at, at, factor: 0.5, stride, blocks },
  buffers: { terms: tiledNormals(blocks * features + at), total: table((random) => random.normals(features * stride)) },
  tolerance: { bound: (16 * blocks + rows / 64) * ULP, of: 'inputs' as const },
});

export const columnSumsCases = defineCases(columnSums, [
  ...ROWS.map((rows) => sums(5, rows)),
  ...[1, 2, 63, 100].map((features) => sums(features, 257)),
  sums(5, 257, 3),
  sums(5, 257, 0, 4),
  sums(5, 257, 2, 1, 3),
]);
