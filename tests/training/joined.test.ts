// A step takes slopes of activations along in the products before them, and its affine layers permute; `gradients` records all apart.

import { expect, test } from 'vitest';
import { ownFlow } from '../../src/flows/flow.js';
import { type Flow, fit, type Gpu, maf, realNVP } from '../../src/index.js';
import { activationBackward } from '../../src/kernels/activation-backward.js';
import { multiplyAdd } from '../../src/kernels/multiply-add.js';
import { permute } from '../../src/kernels/permute.js';
import type { Command } from '../../src/runtime/program.js';
import { planFit } from '../../src/training/fit-options.js';
import { modelOf } from '../../src/training/model.js';
import { recordStep } from '../../src/training/step.js';
import { layoutOf } from '../../src/training/trainable.js';
import { useGpu } from '../support/gpu.js';
import { oneStep } from '../support/one-step.js';
import { Random } from '../support/random.js';

const held = useGpu();
const ROWS = 100;
const RATE = 0.1;

const coupling = (activation: 'relu' | 'tanh' | 'softplus') => (gpu: Gpu) =>
  realNVP(gpu, { dim: 4, layers: 3, hidden: [16, 12], activation, seed: 3 });
const autoregressive = (random: boolean) => (gpu: Gpu) =>
  maf(gpu, { dim: 4, layers: 3, hidden: [16, 12], order: random ? 'random' : 'reverse', seed: 3 });

/** Slopes that are left, and permutations: one that no layer is in front of. The gradient of the log-det is one number, filled in. */
test.each<[string, slopes: number, permutations: number, (gpu: Gpu) => Promise<Flow>]>([
  ['couplings, relu', 0, 0, coupling('relu')],
  ['couplings, tanh', 0, 0, coupling('tanh')],
  ['couplings, softplus', 6, 0, coupling('softplus')],
  ['MAF, reversed', 0, 0, autoregressive(false)],
  ['MAF, random', 0, 1, autoregressive(true)],
])(
  '%s: a step of gradient descent is that of the gradients, with %i slopes and %i permutations apart',
  async (_, slopes, permutations, build) => {
    const flow = await build(held.gpu);
    const data = new Random(5).normals(ROWS * 4);
    const options = oneStep(ROWS, RATE);
    const own = ownFlow('test', flow);
    const { step, objective } = planFit(own, data, options);
    const model = modelOf(own);
    const { commands } = recordStep(model, layoutOf(model), step, objective).program;
    expect(commands.filter(({ kernel }) => kernel.source === activationBackward.source)).toHaveLength(slopes);
    expect(commands.filter(({ kernel }) => kernel.source === permute.source)).toHaveLength(permutations);
    // The gradient by z alone: that by the log-det is the mean's factor, known when the step is recorded.
    const isProduct = ({ kernel }: Command) => kernel.source === multiplyAdd.source;
    expect(commands.filter(isProduct).map(({ constants }) => constants.HAS_B)).toEqual([false]);

    const before = await flow.parameters();
    const { gradients } = await flow.gradients(data);
    await fit(flow, data, options);
    const after = await flow.parameters();
    for (const [name, gradient] of Object.entries(gradients)) {
      const largest = Math.max(...gradient.map(Math.abs));
      for (const [i, value] of gradient.entries()) {
        const moved = (before[name]!.data[i]! - after[name]!.data[i]!) / RATE;
        // The difference of two parameters near 1 has 1e-7 of rounding, over the rate.
        expect(Math.abs(moved - value), `${name}[${i}]`).toBeLessThan(1e-5 * largest + 3e-6);
      }
    }
    flow.dispose();
  },
);
