// Which first layers read fewer features where a rule arranges a program, and that results are those of the program as it was recorded.

import { expect, test } from 'vitest';
import { type Flow, type Gpu, maf, neuralSpline, nice, realNVP } from '../../src/index.js';
import { arranged } from '../../src/tuning/arrange.js';
import { commandsOn, expectSame, resultsOf, withGpu } from '../support/fused-results.js';
import { useGpu } from '../support/gpu.js';

const held = useGpu();

const net = { layers: 4, hidden: [12], seed: 3 };

/** Inputs of the first layers, in order, of a density and of a draw. */
const recipes: Record<string, [make: (gpu: Gpu) => Promise<Flow>, density: number[], draw: number[]]> = {
  // The first of either direction reads what no affine layer wrote.
  'couplings of every second feature': [(gpu) => realNVP(gpu, { ...net, dim: 20 }), [20, 10, 10, 10], [20, 10, 10, 10]],
  'couplings of halves, which lie side by side as they are': [
    (gpu) => nice(gpu, { ...net, dim: 21, masking: 'halves' }),
    [10, 11, 10, 11],
    [11, 10, 11, 10],
  ],
  'a context beside them': [(gpu) => realNVP(gpu, { ...net, dim: 20, contextDim: 2 }), [20, 10, 10, 10], [20, 10, 10, 10]],
  'few features': [(gpu) => realNVP(gpu, { ...net, dim: 10 }), [10, 10, 10, 10], [10, 10, 10, 10]],
  'another transformer, which places nothing': [(gpu) => neuralSpline(gpu, { ...net, dim: 20 }), [20, 20, 20, 20], [20, 20, 20, 20]],
  'layers of which some features reach no unit': [(gpu) => maf(gpu, { ...net, dim: 20 }), [12, 12, 12, 12], []],
};

test.each(Object.entries(recipes))('%s', (_, [make, density, draw]) =>
  withGpu(held.gpu.device, async (gpu) => {
    gpu.choices.fuse = (recorded) => recorded;
    gpu.choices.arrange = arranged;
    const flow = await make(gpu);
    const results = await resultsOf(flow);
    const inputsIn = (task: string) =>
      commandsOn(gpu, task, 'masked-linear')
        .filter(({ params }) => params.outputs === 12 && params.x_features === flow.dim)
        .map(({ params }) => params.inputs);
    expect([inputsIn('logProb'), inputsIn('sample')]).toEqual([density, draw]);
    gpu.choices.arrange = (recorded) => recorded;
    expectSame(results, await resultsOf(await make(gpu)));
  }),
);
