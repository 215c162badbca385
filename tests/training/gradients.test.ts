// Gradients of log-densities by parameters: recorded reverse mode in float64 against central differences, then the device against
// float64. Golden values are in tests/golden-gradients.test.ts.

import { expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { maf, ShapeError, ValueError } from '../../src/index.js';
import { flows } from '../flows/table.js';
import { useGpu } from '../support/gpu.js';
import { describeGradients } from '../support/gradient-check.js';
import { freshSeed, Random } from '../support/random.js';

const held = useGpu({ ruled: false });

/** Flows whose density runs through kernels with derivative rules. */
const trainable = flows.filter(
  ({ name }) => /^(maf|nice|realNVP|iaf|spline|neuralSpline)/.test(name) && !/mixture|qr|householder|support/.test(name),
);

for (const flow of trainable)
  describeGradients(held, flow, {
    score: false, // in score.test.ts
    // Sixty-three steps of a solve magnify what weights of this size make of one another.
    ...(/D 63/.test(flow.name) && { perturbation: 0.02 }),
    // Where a row lies in a bin of a spline, and so its slope, is known to less than a unit in the last place.
    ...(/neuralSpline/.test(flow.name) && { device: 2e-2 }),
  });

test('many chunks add up to what one gives', async () => {
  const flow = (await maf(held.gpu, { dim: 3, layers: 2, hidden: [8], seed: 1 })) as GpuFlow;
  const x = new Random(freshSeed()).normals(3 * 300);
  const whole = await flow.gradients(x);
  const parts = await Promise.all([x.slice(0, 3 * 100), x.slice(3 * 100)].map((part) => flow.gradients(part)));
  expect(whole.loss).toBeCloseTo((100 * parts[0]!.loss + 200 * parts[1]!.loss) / 300, 5);
  for (const [name, values] of Object.entries(whole.gradients))
    for (const [i, value] of values.entries()) {
      const sum = (100 * parts[0]!.gradients[name]![i]! + 200 * parts[1]!.gradients[name]![i]!) / 300;
      expect(Math.abs(value - sum)).toBeLessThan(1e-5 * (1 + Math.abs(sum)));
    }
});

test('names and sizes are those of the parameters; arguments that do not fit are errors', async () => {
  const flow = await maf(held.gpu, { dim: 3, layers: 2, hidden: [8], seed: 1 });
  const { gradients } = await flow.gradients(new Float32Array(6));
  const parameters = await flow.parameters();
  expect(Object.keys(gradients)).toEqual(Object.keys(parameters));
  for (const [name, { data }] of Object.entries(parameters)) expect(gradients[name]!.length).toBe(data.length);
  await expect(flow.gradients(new Float32Array(4))).rejects.toThrow(ShapeError);
  await expect(flow.gradients(new Float32Array(0))).rejects.toThrow(ValueError);
});

test('a second call compiles and keeps nothing new, and trained parameters count', async () => {
  const flow = (await maf(held.gpu, { dim: 3, layers: 2, hidden: [8], seed: 1 })) as GpuFlow;
  const x = new Random(freshSeed()).normals(3 * 50);
  const first = await flow.gradients(x);
  const { bytes } = held.gpu.memory.usage;
  const { size } = held.gpu.pipelines;
  for (let i = 0; i < 3; i++) expect(await flow.gradients(x)).toEqual(first);
  expect(held.gpu.memory.usage.bytes).toBe(bytes);
  expect(held.gpu.pipelines.size).toBe(size);
  const { scoreOf } = await import('../../src/index.js');
  await scoreOf(flow, x);
  const scored = held.gpu.memory.usage.bytes;
  await scoreOf(flow, x);
  expect(held.gpu.memory.usage.bytes).toBe(scored);
  const [name, { data }] = Object.entries(await flow.parameters())[0]!;
  await flow.replaceParameters(new Map([[name, data.map((value) => value + 0.5)]]));
  expect((await flow.gradients(x)).loss).not.toBe(first.loss);
  flow.dispose();
});
