import type { FitOptions } from '../../src/index.js';

/** One step of gradient descent on all rows, at a rate that nothing bends. */
export const oneStep = (rows: number, learningRate: number) =>
  ({
    steps: 1,
    batch: rows,
    optimiser: 'sgd',
    learningRate,
    schedule: 'constant',
    clipNorm: Number.POSITIVE_INFINITY,
  }) as const satisfies FitOptions;
