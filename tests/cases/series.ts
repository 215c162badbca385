import { series } from '../../src/kernels/series.js';
import { type BufferSpec, defineCases, ROWS, rowMajorNormals, table, tiledNormals, ULP, unread } from './case.js';

const scales = (features: number): BufferSpec => {
  const { layout, make } = tiledNormals(features);
  return { layout, make: (random, rows) => make(random, rows).map((value) => Math.abs(value) + 0.1) };
};
const at = (step: number, steps: number, period = 1) => ({ step, steps, period });
const rounded = { bound: 3 * ULP } as const; // WGSL's division: 2.5 units
const exact = { bound: 0 } as const;

const step = (features: number, rows: number, options: { step?: number; steps?: number; scaled?: boolean; wider?: number } = {}) => {
  const { step = 2, steps = 5, scaled = false, wider = 3 } = options;
  return {
    name: `step ${step} of ${steps}, ${features} features in ${features + wider}, ${rows} rows${scaled ? ', scaled' : ''}`,
    rows,
    sequence: at(step, steps),
    constants: { SCALED: scaled },
    scale: scaled ? scales(features) : unread,
    inside: tiledNormals(features + wider),
    outside: rowMajorNormals(features * steps),
    tolerance: scaled ? rounded : exact,
    features,
    wider,
  };
};

const steps = [
  ...ROWS.map((rows) => step(5, rows)),
  ...[1, 2, 63].map((features) => step(features, 257)),
  step(5, 257, { step: 0, steps: 1, wider: 0 }),
  step(5, 257, { scaled: true }),
  step(2, 3, { step: 65_537, steps: 65_540 }), // both halves of the step
];

export const readStepCases = defineCases(series.readStep, [
  ...steps.map(({ features, wider, outside, inside, scale, ...rest }) => ({
    ...rest,
    params: { features, inside_features: features + wider, at: Math.min(wider, 2) },
    buffers: { outside, inside, scale },
  })),
  {
    name: 'seven rows repeated, from row 130 of the batch',
    rows: 257,
    firstRow: 130,
    sequence: at(1, 3, 7),
    params: { features: 4, inside_features: 4, at: 0 },
    constants: { REPEATED: true },
    buffers: { outside: table((random) => random.normals(7 * 3 * 4)), inside: tiledNormals(4), scale: unread },
    tolerance: exact,
  },
]);

export const writeStepCases = defineCases(
  series.writeStep,
  steps.map(({ features, wider, outside, inside, scale, ...rest }) => ({
    ...rest,
    params: { features, inside_features: features + wider, at: 0 },
    buffers: { tensor: inside, result: outside, scale },
  })),
);

const mean = (features: number, rows: number, step: number, steps: number, outside = rowMajorNormals(features * steps)) => ({
  name: `${features} features, ${rows} rows, ${step} of ${steps} steps`,
  rows,
  sequence: at(step, steps),
  params: { features, inside_features: features, at: 0 },
  buffers: { outside, inside: tiledNormals(features) },
  tolerance: { bound: 5e-7 },
});

export const meanScaleCases = defineCases(series.meanScale, [
  ...ROWS.map((rows) => mean(5, rows, 7, 7)),
  ...[1, 63].map((features) => mean(features, 257, 30, 50)),
  mean(2, 257, 0, 3),
  { ...mean(3, 257, 4, 4, { layout: 'row-major', make: (_, rows) => new Float32Array(rows * 12) }), name: 'zeros' },
]);

const sum = (features: number, rows: number, steps: number, scaled: boolean) => ({
  name: `${rows} rows, ${steps} steps${scaled ? `, ${features} scales` : ''}`,
  rows,
  sequence: at(0, steps),
  params: { features, inside_features: features, at: 0 },
  constants: { SCALED: scaled },
  buffers: {
    outside: rowMajorNormals(steps),
    scale: scaled ? scales(features) : unread,
    result: rowMajorNormals(steps),
    sum: rowMajorNormals(1),
  },
  // A case without scales is held to the size of its terms; one with scales adds logarithms whose signs the sizes do not tell.
  tolerance: scaled ? { bound: 2e-6 * steps } : ({ bound: (2 + steps / 24) * ULP, of: 'inputs' } as const),
});

export const totalCases = defineCases(series.total, [
  ...ROWS.map((rows) => sum(1, rows, 50, false)),
  ...[1, 2, 63].map((features) => sum(features, 257, 5, true)),
  sum(5, 257, 1, true),
  sum(1, 3, 1000, false),
]);
