import { recurrentCell } from '../../src/kernels/recurrent-cell.js';
import { defineCases, ROWS, tiledNormals } from './case.js';

const cell = (hidden: number, rows: number, options: { inputs?: number; extra?: number; scale?: number } = {}) => {
  const { inputs = 3, extra = 2, scale = 2 } = options;
  return {
    name: `${hidden} hidden, ${inputs} inputs, ${rows} rows, gates of ${scale}`,
    rows,
    params: { hidden, memory_features: inputs + hidden, memory_at: inputs, output_features: hidden + extra },
    buffers: {
      gates: tiledNormals(4 * hidden, scale),
      cell: tiledNormals(hidden),
      memory: tiledNormals(inputs + hidden),
      output: tiledNormals(hidden + extra),
    },
    // Beyond a few units a sum of two gates is known to its own rounding, and a sigmoid's slope is at most a quarter of it, a tanh's all of it.
    tolerance: { bound: scale > 10 ? 1e-5 : 1e-6 },
  };
};

const all = [
  ...ROWS.map((rows) => cell(5, rows)),
  ...[1, 2, 63].map((hidden) => cell(hidden, 257)),
  cell(5, 257, { inputs: 7, extra: 0 }),
  cell(5, 257, { scale: 100 }),
];

export const lstmCases = defineCases(recurrentCell.lstm, all);

export const gruCases = defineCases(
  recurrentCell.gru,
  all.map(({ buffers: { cell: _, ...buffers }, ...rest }) => ({ ...rest, buffers })),
);
