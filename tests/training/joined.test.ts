// A step takes slopes of activations along in the products before them; `gradients` records both apart.

import { expect, test } from 'vitest';
import { ownFlow } from '../../src/flows/flow.js';
import { fit, Gpu, realNVP } from '../../src/index.js';
import { activationBackward } from '../../src/kernels/activation-backward.js';
import { planFit } from '../../src/training/fit-options.js';
import { modelOf } from '../../src/training/model.js';
import { recordStep } from '../../src/training/step.js';
import { layoutOf } from '../../src/training/trainable.js';
import { Random } from '../support/random.js';

const ROWS = 100;
const RATE = 0.1;

test.each([
  ['relu', 0],
  ['tanh', 0],
  ['softplus', 6],
] as const)('%s: a step of gradient descent is that of the gradients, with %i slopes apart', async (activation, apart) => {
  const gpu = await Gpu.request();
  try {
    const flow = await realNVP(gpu, { dim: 4, layers: 3, hidden: [16, 12], activation, seed: 3 });
    const data = new Random(5).normals(ROWS * 4);
    const options = {
      steps: 1,
      batch: ROWS,
      optimiser: 'sgd',
      learningRate: RATE,
      schedule: 'constant',
      clipNorm: Number.POSITIVE_INFINITY,
    } as const;
    const own = ownFlow('test', flow);
    const { step, objective } = planFit(own, data, options);
    const model = modelOf(own);
    const { commands } = recordStep(model, layoutOf(model), step, objective);
    expect(commands.filter(({ kernel }) => kernel.source === activationBackward.source)).toHaveLength(apart);

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
  } finally {
    gpu.dispose();
  }
});
