// Gradients of log-densities by parameters: recorded reverse mode in float64 against central differences, then the device against
// float64. Golden values are in tests/golden-gradients.test.ts.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { maf, ShapeError, ValueError } from '../../src/index.js';
import { layoutOf } from '../../src/training/trainable.js';
import { flows } from '../flows/table.js';
import { useGpu } from '../support/gpu.js';
import { differentiable, worstDifference } from '../support/parameter-gradients.js';
import { perturbed } from '../support/perturbed.js';
import { freshSeed, Random } from '../support/random.js';

const held = useGpu();

/** Flows whose density runs through kernels with derivative rules. */
const trainable = flows.filter(
  ({ name }) =>
    /^(maf|nice|realNVP|iaf|spline|neuralSpline)/.test(name) &&
    !/mixture|conditional base|qr|householder|support|, quadratic|cubic/.test(name),
);

describe.each(trainable)('$name', ({ name, make, traits }) => {
  let flow: GpuFlow;
  const random = new Random(freshSeed());
  const note = `VITE_TEST_SEED=${random.seed}`;
  beforeAll(async () => {
    // Sixty-three steps of a solve magnify what weights of this size make of one another.
    flow = (await perturbed(held.gpu, make(held.gpu), /D 63/.test(name) ? 0.02 : 0.1)) as GpuFlow;
  });
  afterAll(() => flow.dispose());
  const { support } = traits;
  const points = (rows: number): Float32Array =>
    random.normals(rows * flow.dim).map((value) => (support ? support[0] + (support[1] - support[0]) * random.uniform() : value));
  // Where a row lies in a bin of a spline, and so its slope, is known to less than a unit in the last place.
  const limit = /neuralSpline/.test(name) ? 2e-2 : 1e-3;

  test('agrees with central differences, in float64', () => {
    const x = points(3);
    const context = flow.contextDim > 0 ? random.normals(3 * flow.contextDim) : undefined;
    const { worst, place } = worstDifference(flow, differentiable(flow, x, context), random, 8);
    expect(worst, `${place}, ${note}`).toBeLessThan(1e-6);
  });

  test('the device agrees with float64', async () => {
    const rows = 67;
    const x = points(rows);
    const context = flow.contextDim > 0 ? random.normals(rows * flow.contextDim) : undefined;
    const exact = differentiable(flow, x, context)();
    const { loss, gradients } = await flow.gradients(x, context ? { context } : {});
    expect(Math.abs(loss - exact.loss / rows) / (1 + Math.abs(loss)), note).toBeLessThan(1e-5);
    let off = 0;
    for (const { name, from, length } of layoutOf(flow).tensors) {
      const want = exact.gradient.subarray(from, from + length).map((value) => value / rows);
      const scale = 1e-3 + Math.sqrt(want.reduce((sum, value) => sum + value * value, 0) / length);
      for (const [i, value] of gradients[name]!.entries()) if (!(Math.abs(value - want[i]!) <= limit * scale)) off++;
    }
    // A unit at a kink may fall on the other side in float32 for some row.
    expect(off / layoutOf(flow).count, note).toBeLessThanOrEqual(0.02);
  });
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
