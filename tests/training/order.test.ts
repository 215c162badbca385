// Parameters in the order that the kernels read: a step changes them as gradients in flat order say, and reads and leaves nothing else.

import { describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { fit, maf } from '../../src/index.js';
import { CONTROL } from '../../src/kernels/optimiser.js';
import { NEGATIVE } from '../../src/kernels/parameters.js';
import { planFit } from '../../src/training/fit-options.js';
import { modelOf } from '../../src/training/model.js';
import { flattened, kindsIn, ordered, packedOrder, placesIn } from '../../src/training/order.js';
import { recordStep } from '../../src/training/step.js';
import { flatParameters, layoutOf } from '../../src/training/trainable.js';
import { flows } from '../flows/table.js';
import { runProgram } from '../reference/run.js';
import { useGpu } from '../support/gpu.js';
import { oneStep } from '../support/one-step.js';
import { differentiable } from '../support/parameter-gradients.js';
import { freshSeed, Random } from '../support/random.js';

const held = useGpu();
const ROWS = 3;
const RATE = 0.1;

/** Flows that read some number in two places, or negatively: solves beside their networks, triangles beside their diagonals, reflections, learned bases. */
const flat = /^(iaf|split|sylvester D 2|sylvester D 5, three)|learned normal|uniform base|, lu|, qr/;

describe('a step in float64 goes down the flat gradient', () => {
  const small = flows.filter(({ name }) => !/D 63|glow|image|ffjord|decoder/.test(name));
  test.each(small)('$name', async ({ name, make, traits: { support, classes } }) => {
    const random = new Random(freshSeed());
    const flow = await make(held.gpu);
    const { dim, contextDim } = flow;
    const x = random.normals(ROWS * dim).map((value) => (support ? support[0] + (support[1] - support[0]) * random.uniform() : value));
    const context = contextDim > 0 ? random.normals(ROWS * contextDim) : undefined;
    if (classes) for (let row = 1; row <= ROWS; row++) context![row * contextDim - 1] = random.integer(classes);
    const model = modelOf(flow);
    const layout = layoutOf(model);
    const { step, objective } = planFit(flow, x, { ...oneStep(ROWS, RATE), ...(context && { context }) });
    const { program, order } = recordStep(model, layout, { ...step, beta1: 0, batchStatistics: false }, objective);
    expect(order.packed === null, 'in flat order').toBe(flat.test(name));
    const before = flatParameters(model, layout);
    const parameters = Float64Array.from(ordered(order, before, 'initial'));
    const data = Object.fromEntries(Object.entries(objective.data).map(([key, values]) => [key, Float64Array.from(values)]));
    const changing = { parameters, control: new Float64Array(CONTROL), losses: new Float64Array(1) };
    runProgram(program, { rows: ROWS, externals: { ...data, ...changing } });
    const { gradient } = differentiable(flow, x, context).evaluate();
    const after = flattened(order, parameters as unknown as Float32Array, before);
    let worst = 0;
    for (const [j, value] of gradient.entries()) {
      const moved = (ROWS * (before[j]! - after[j]!)) / RATE;
      worst = Math.max(worst, Math.abs(moved - value) / (1 + Math.abs(value)));
    }
    expect(worst, `VITE_TEST_SEED=${random.seed}`).toBeLessThan(1e-5);
    flow.dispose();
  });
});

test('numbers go into the order and back; those that no kernel reads stay', () => {
  // Parameter 2 is read first, then a number that is none, then 0 and 3; nobody reads 1.
  const initial = new Float32Array(256).fill(7);
  const places = Uint32Array.from({ length: 256 }, (_, i) => [3, 0, 1, 4][i] ?? 0);
  const order = packedOrder(places, initial, 4)!;
  const buffer = ordered(order, Float32Array.of(10, 11, 12, 13), 'initial');
  expect([...buffer.subarray(0, 5)]).toEqual([12, 7, 10, 13, 7]);
  expect([...ordered(order, Float32Array.of(10, 11, 12, 13), 'zeros').subarray(0, 5)]).toEqual([12, 0, 10, 13, 0]);
  expect([...flattened(order, buffer, Float32Array.of(0, 5, 0, 0))]).toEqual([10, 5, 12, 13]);
  expect([...placesIn(order, Uint32Array.of(0, 1, 2, 3, 4, 1 + NEGATIVE))]).toEqual([0, 3, 0, 1, 4, 3 + NEGATIVE]);
  const tensors = [
    { name: 'bias', from: 0, length: 2, shape: [2] },
    { name: 'weight', from: 2, length: 2, shape: [1, 2] },
  ];
  // Two bits each of the numbers 0 to 3, in one word: 2 and 3 of the file decay.
  expect([...kindsIn(order, { count: 4, tensors }).subarray(0, 2)]).toEqual([0b11_01_00_11, 0]);
});

test('a parameter that is read twice, or negatively, leaves the order flat', () => {
  const initial = new Float32Array(256);
  const places = (...first: number[]) => Uint32Array.from({ length: 256 }, (_, i) => first[i] ?? 0);
  expect(packedOrder(places(1, 2), initial, 2)).not.toBeNull();
  expect(packedOrder(places(1, 2, 1), initial, 2)).toBeNull();
  expect(packedOrder(places(1, 2 + NEGATIVE), initial, 2)).toBeNull();
});

test('weights that a mask closes stay as they are, though the others decay', async () => {
  const flow = (await maf(held.gpu, { dim: 4, layers: 1, hidden: [8], order: 'natural', seed: 1 })) as GpuFlow;
  const { tensors } = modelOf(flow);
  const [name, { shape }] = [...tensors].find(([key, { shape }]) => /weight$/.test(key) && shape[1] === 4)!;
  const before = (tensors.get(name)!.data as Float32Array).slice();
  await fit(flow, new Random(2).normals(4 * 64), {
    steps: 5,
    batch: 64,
    optimiser: 'adamw',
    weightDecay: 0.5,
    learningRate: 0.1,
    initialise: false,
  });
  const after = modelOf(flow).tensors.get(name)!.data;
  // No unit reads the last feature.
  const closed = Array.from(before, (_, i) => i % shape[1]! === 3);
  for (const [i, value] of before.entries()) expect(Object.is(after[i], value), `${name}[${i}]`).toBe(closed[i]! || value === 0);
});
