import { timeTable, timeTableBackward } from '../../src/kernels/time-table-backward.js';
import { defineCases, table, ULP } from './case.js';

const shape = (evaluations: number, terms: number, width: number) => ({
  name: `${evaluations} evaluations, ${terms} terms, ${width} numbers`,
  rows: 1,
  params: { evaluations, terms, width },
});

const inputs = (evaluations: number, terms: number, width: number) => ({
  times: table((random) => random.normals(evaluations * terms)),
  weights: table((random) => random.normals(terms * width)),
  gated: table((random) => Float32Array.from({ length: width }, () => Math.round(random.uniform()))),
});

const SIZES = [
  [1, 1, 1],
  [2, 2, 64],
  [96, 2, 200],
  [7, 9, 130],
] as const;

export const timeTableCases = defineCases(
  timeTable,
  SIZES.map(([evaluations, terms, width]) => ({
    ...shape(evaluations, terms, width),
    buffers: { ...inputs(evaluations, terms, width), table: table((random) => random.normals(evaluations * width)) },
    tolerance: { bound: 1e-6 },
  })),
);

export const timeTableBackwardCases = defineCases(
  timeTableBackward,
  SIZES.map(([evaluations, terms, width]) => ({
    ...shape(evaluations, terms, width),
    buffers: {
      ...inputs(evaluations, terms, width),
      d_table: table((random) => random.normals(evaluations * width)),
      d_weights: table((random) => random.normals(terms * width)),
    },
    tolerance: { bound: (16 + 4 * evaluations) * ULP },
  })),
);
