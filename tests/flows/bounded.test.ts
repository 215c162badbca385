// Supports with ends: what happens at them, beyond them, and in their last digits; nflows' eps and temperature; errors.

import { describe, expect, test } from 'vitest';
import { boundedOps } from '../../src/flows/build/bounded.js';
import { buildFlow } from '../../src/flows/build/flow.js';
import type { OpDescription } from '../../src/format/description.js';
import { parseDescription } from '../../src/format/format.js';
import type { StoredTensor } from '../../src/format/safetensors.js';
import { bounded, FormatError, ffjord, loadFlow, maf, planar, ValueError } from '../../src/index.js';
import { expectError, wrong } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';

const held = useGpu();

function build(op: unknown, dim = 1, tensors: Record<string, number[]> = {}) {
  const description = parseDescription({
    features: dim,
    base: { type: 'standard_normal' },
    structure_direction: 'density',
    structure: [op as OpDescription],
  });
  const stored = Object.entries(tensors).map(([name, data]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape: [data.length], data: Float32Array.from(data) },
  ]);
  return buildFlow(held.gpu, description, new Map(stored), boundedOps);
}

const logistic = (z: number) => 1 / (1 + Math.exp(-z));

describe('sigmoid_to', () => {
  test('at the ends z is infinite, beyond them NaN', async () => {
    const flow = build({ op: 'sigmoid_to', low: -1, high: 3 });
    const { z, logDet } = await flow.forward(Float32Array.of(-1, 3, -1.0000002, 3.0000002, Number.NaN));
    expect([...z]).toEqual([-Infinity, Infinity, Number.NaN, Number.NaN, Number.NaN]);
    expect([...logDet]).toEqual([Infinity, Infinity, Number.NaN, Number.NaN, Number.NaN]);
    flow.dispose();
  });

  test('log-dets are right where the sigmoid itself has rounded to its end', async () => {
    const flow = build({ op: 'sigmoid_to' });
    const { x, logDet } = await flow.inverse(Float32Array.of(80, -80, 1000, -1000, 20));
    expect([...x]).toEqual([1, expect.closeTo(0, 30), 1, 0, expect.closeTo(1, 6)]);
    expect(x[1]! / Math.exp(-80)).toBeCloseTo(1, 5);
    expect([...logDet]).toEqual([-80, -80, -1000, -1000, expect.closeTo(-20, 5)]);
    flow.dispose();
  });

  test("temperature and eps are nflows'", async () => {
    const flow = build({ op: 'sigmoid_to', temperature: 2, eps: 0.125 });
    const { z, logDet } = await flow.forward(Float32Array.of(0, 0.05, 0.5, 1, 1.5));
    const held = Math.log(0.125 / 0.875) / 2;
    for (const [i, want] of [held, held, 0, -held].entries()) expect(z[i]).toBeCloseTo(want, 6);
    expect(z[4]).toBeNaN();
    // −(log T − softplus(−T z) − softplus(T z)) at the point that was held.
    const term = -(Math.log(2) + Math.log(0.125) + Math.log(0.875));
    expect(logDet[0]).toBeCloseTo(term, 5);
    expect(logDet[1]).toBeCloseTo(term, 5);
    const { x } = await flow.inverse(Float32Array.of(0.3));
    expect(x[0]).toBeCloseTo(logistic(0.6), 6);
    const learned = build({ op: 'sigmoid_to', temperature: 'temperature' }, 1, { temperature: [2] });
    expect((await learned.inverse(Float32Array.of(0.3))).x[0]).toBe(x[0]);
    expect((await learned.parameters()).temperature!.data).toEqual(Float32Array.of(2));
    flow.dispose();
    learned.dispose();
  });

  test('inverse exchanges the sides', async () => {
    const flow = build({ op: 'sigmoid_to', low: [0, -2], high: [1, 2], inverse: true }, 2);
    const { z } = await flow.forward(Float32Array.of(0.7, -0.4));
    expect(z[0]).toBeCloseTo(logistic(0.7), 6);
    expect(z[1]).toBeCloseTo(4 * logistic(-0.4) - 2, 6);
    flow.dispose();
  });
});

test.each([
  ['tanh_to', Math.tanh, [-1, 1], [-1.5, 1.0000001]],
  ['softplus_to', (z: number) => Math.log1p(Math.exp(z)), [0], [-1e-20]],
  ['exp_to', Math.exp, [0], [-1e-20]],
] as const)('%s: values, ends, beyond', async (op, map, ends, beyond) => {
  const flow = build({ op });
  const { x } = await flow.inverse(Float32Array.of(-30, -0.5, 0, 2, 30));
  for (const [i, z] of [-30, -0.5, 0, 2, 30].entries())
    expect(x[i]! / map(z), `${z}`).toSatisfy((v: number) => z === 0 || Math.abs(v - 1) < 1e-6);
  const { z, logDet } = await flow.forward(Float32Array.of(...ends, ...beyond));
  for (const [i, end] of [...ends, ...beyond].entries()) {
    if (i < ends.length) {
      expect(z[i], `${end}`).toBe(end > 0 ? Infinity : -Infinity);
      expect(logDet[i]).toBe(Infinity);
    } else expect([z[i], logDet[i]], `${end}`).toEqual([Number.NaN, Number.NaN]);
  }
  flow.dispose();
});

test('rescale maps an interval to another, affinely', async () => {
  const flow = build({ op: 'rescale', low: [0, 10], high: [2, 30], to: [-1, 1] }, 2);
  const { z, logDet } = await flow.forward(Float32Array.of(0, 30, 1.5, 15));
  expect([...z]).toEqual([-1, 1, 0.5, -0.5]);
  expect(logDet[0]).toBeCloseTo(Math.log(0.1), 6);
  flow.dispose();
});

describe('bounded', () => {
  test('draws lie inside, features without ends stay, and the flow saves as one', async () => {
    const line = await maf(held.gpu, { dim: 3, layers: 2, hidden: [8], seed: 1 });
    const flow = bounded(line, { low: [0, null, 5], high: [1, null, null], positive: 'exp' });
    const [x, z] = [await flow.sample(500, { seed: 3 }), await line.sample(500, { seed: 3 })];
    for (let row = 0; row < 500; row++) {
      expect(x[3 * row]).toBeCloseTo(logistic(z[3 * row]!), 5);
      expect(x[3 * row + 1]).toBe(z[3 * row + 1]);
      expect((x[3 * row + 2]! - 5) / Math.exp(z[3 * row + 2]!)).toBeCloseTo(1, 2);
    }
    line.dispose();
    const loaded = await loadFlow(held.gpu, await flow.save());
    expect(await loaded.logProb(x)).toEqual(await flow.logProb(x));
    flow.dispose();
    loaded.dispose();
  });

  test.each([
    [{ low: 1, high: 1 }, /^bounded: feature 0 needs low below high, .*; got 1 and 1$/],
    [{ low: [0, 0, 0] }, /^bounded.low needs one number, or 2, one a feature; got 3$/],
    [{ low: Number.NaN }, /^bounded: low needs finite numbers, or null for no end; got NaN$/],
    [{ low: 0, high: 1, eps: 0.5 }, /^bounded.eps needs a number in \[0, 0.5\); got 0.5$/],
    [{ low: 0, positive: 'relu' }, /^bounded: positive needs 'softplus' or 'exp'; got "relu"$/],
  ] as const)('refuses %o', async (support, sentence) => {
    const flow = await planar(held.gpu, { dim: 2, layers: 1 });
    await expectError(() => bounded(flow, wrong(support)), ValueError, 'E_VALUE', sentence);
    await expectError(() => bounded(wrong({}), {}), ValueError, 'E_VALUE', /^bounded: flow needs a flow of this library/);
    flow.dispose();
  });
});

test.each([
  [{ op: 'sigmoid_to', temperature: -1 }, /temperature: needs a positive number; got -1/],
  [{ op: 'sigmoid_to', low: [null] }, /low: needs a number for every feature; got null at 0/],
  [{ op: 'sigmoid_to', low: 2 }, /feature 0: needs low below high, .*; got 2 and 1/],
  [{ op: 'rescale', low: 0, high: 1, to: [1, 0] }, /to: needs two numbers, the smaller first; got \[1, 0\]/],
  [{ op: 'support', low: 0 }, /high: needs .*; it is missing/],
] as const)('%o is refused', (op, sentence) => expectError(() => build(op), FormatError, 'E_FORMAT', sentence));

test('a flow with error control stays one behind a support', async () => {
  const adaptive = { method: 'dopri5-adaptive', rtol: 1e-6, atol: 1e-6 } as const;
  const make = async (solver: typeof adaptive | { method: 'dopri5'; steps: number }) =>
    bounded(await ffjord(held.gpu, { dim: 2, hidden: [8], solver, seed: 4 }), { low: 0 });
  const [flow, fixed] = [await make(adaptive), await make({ method: 'dopri5', steps: 64 })];
  const x = Float32Array.of(0.5, 1, 2, 0.1);
  const [got, expected] = [await flow.logProb(x), await fixed.logProb(x)];
  for (const [row, value] of expected.entries()) expect(got[row]).toBeCloseTo(value, 3);
});
