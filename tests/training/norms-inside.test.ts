// Batch norm inside nets: gradients of layers in both directions, those that are solved feature by feature among them.

import { expect, test } from 'vitest';
import { fit, iaf, mademog } from '../../src/index.js';
import { modelOf } from '../../src/training/model.js';
import { useGpu } from '../support/gpu.js';
import { describeGradients } from '../support/gradient-check.js';
import { withNormsInside } from '../support/norms-inside.js';
import { Random } from '../support/random.js';

const held = useGpu();

const inverted = {
  'in residual blocks': (seed: number | null = 7) =>
    withNormsInside(held.gpu, iaf(held.gpu, { dim: 4, layers: 2, hidden: [9, 9], residual: true, activation: 'tanh', seed: 2 }), seed),
  'in front of layers': (seed: number | null = 7) =>
    withNormsInside(held.gpu, iaf(held.gpu, { dim: 4, layers: 2, hidden: [9, 9, 9], activation: 'elu', seed: 3 }), seed),
} as const;

for (const [place, make] of Object.entries(inverted))
  describeGradients(held, { name: `iaf D 4, norms ${place}`, make: () => make(), traits: {} }, { parameters: 60 });
describeGradients(held, {
  name: 'mademog D 3, norms in residual blocks',
  make: () => withNormsInside(held.gpu, mademog(held.gpu, { dim: 3, components: 2, hidden: [8, 8], residual: true, seed: 4 })),
  traits: {},
});

test.each(Object.entries(inverted))('an inverted layer fits, and keeps its running statistics, %s', async (_, make) => {
  const random = new Random(5);
  const flow = await make(null);
  const x = Float32Array.from({ length: 4 * 400 }, (_, i) => (i % 4) + (1 + (i % 4)) * random.normal());
  const loss = async () => -(await flow.logProb(x)).reduce((sum, value) => sum + value, 0) / 400;
  const statistics = () =>
    modelOf(flow).norms.map(([mean, variance]) => [mean, variance].map((name) => flow.parts.state.tensors.get(name)));
  const [before, held] = [await loss(), statistics()];
  await fit(flow, x, { steps: 60, batch: 100, learningRate: 1e-2 });
  expect(await loss()).toBeLessThan(before - 0.5);
  expect(statistics()).toEqual(held);
  // The last norm's gain: it has moved, and with it the solve.
  const { data } = Object.entries(await flow.parameters()).findLast(([name]) => /batch_norm.*weight/.test(name))![1];
  expect(data.some((value) => Math.abs(value - 1) > 1e-3)).toBe(true);
});
