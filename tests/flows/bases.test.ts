// Bases: their densities against the formulas, bounded support, and what is refused.

import { describe, expect, test } from 'vitest';
import { TensorWriter } from '../../src/flows/recipes/initial.js';
import { type BaseOption, FormatError, importTorch, loadFlow, maf, realNVP, ValueError } from '../../src/index.js';
import { expectError, wrong } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';
import { freshSeed, Random } from '../support/random.js';
import { describedFlow } from './structures.js';

const held = useGpu();

/** The base alone, behind the identity. */
function uniform(low: number[], high: number[]) {
  const writer = new TensorWriter(0);
  writer.float('low', [low.length], Float32Array.from(low));
  writer.float('high', [high.length], Float32Array.from(high));
  return describedFlow(held.gpu, writer, {
    features: low.length,
    structure: [{ op: 'permute', perm: low.map((_, i) => i) }],
    base: { type: 'box_uniform', low: 'low', high: 'high' },
  });
}

describe('uniform on a box', () => {
  test('log-density is minus the log-volume inside, −∞ outside, NaN for NaN', async () => {
    const flow = uniform([-1, 2], [3, 2.5]);
    const inside = -Math.log(4 * 0.5);
    const logProb = await flow.logProb(
      Float32Array.of(0, 2.25, -1, 2, 3, 2.5, -1.0001, 2.25, 0, 2.6, 1e30, 2.25, Number.NaN, 2.25, Number.NaN, 9, 9, Number.NaN),
    );
    for (const row of [0, 1, 2]) expect(logProb[row]).toBeCloseTo(inside, 6); // the edges belong to the box
    for (const row of [3, 4, 5]) expect(logProb[row]).toBe(Number.NEGATIVE_INFINITY);
    for (const row of [6, 7, 8]) expect(logProb[row]).toBeNaN();
  });

  test('draws fill the box evenly and never leave it, rounding included', async () => {
    const flow = uniform([-1, 1000], [3, 1000.001]);
    const count = 50_000;
    const { x, logProb } = await flow.sampleWithLogProb(count, { seed: 3 });
    expect(logProb.every(Number.isFinite)).toBe(true);
    const cells = new Float64Array(50);
    for (let row = 0; row < count; row++) {
      expect(x[2 * row + 1]! >= 1000 && x[2 * row + 1]! <= Math.fround(1000.001)).toBe(true);
      cells[Math.floor(((x[2 * row]! + 1) / 4) * cells.length)]!++;
    }
    const chiSquare = cells.reduce((sum, seen) => sum + (seen - count / 50) ** 2 / (count / 50), 0);
    expect(chiSquare).toBeLessThan(50 + 5 * Math.sqrt(100));
  });

  test('a box without a volume is refused', async () => {
    await expectError(
      () => uniform([0, 1], [1, 1]),
      FormatError,
      'E_FORMAT',
      /low below high, a finite number apart; got 1 and 1 at feature 1/,
    );
    await expectError(() => uniform([-3e38], [3e38]), FormatError, 'E_FORMAT', /a finite number apart/);
  });

  test('a flow that leaves the box has density 0 there', async () => {
    const flow = await maf(held.gpu, { dim: 2, layers: 1, hidden: [4], base: { type: 'uniform', low: -1, high: [1, 2] }, seed: 1 });
    const x = new Random(freshSeed()).normals(400, 3);
    const [{ z, logDet }, logProb] = [await flow.forward(x), await flow.logProb(x)];
    for (const [row, value] of logProb.entries()) {
      const inside = Math.abs(z[2 * row]!) <= 1 && z[2 * row + 1]! >= -1 && z[2 * row + 1]! <= 2;
      if (inside) expect(value).toBeCloseTo(logDet[row]! - Math.log(6), 4);
      else expect(value).toBe(Number.NEGATIVE_INFINITY);
    }
  });
});

test('the conditional normal is N(loc(c), e^{2 log-scale(c)}) of its net', async () => {
  const random = new Random(freshSeed());
  const [dim, contextDim, hidden] = [3, 2, 4];
  const writer = new TensorWriter(random.integer(1000));
  writer.linear('net.0', contextDim, hidden);
  writer.linear('net.1', hidden, 2 * dim);
  const tensor = (name: string) => writer.tensors.get(name)!.data as Float32Array;
  const flow = await realNVP(held.gpu, { dim, layers: 1, hidden: [4], contextDim, base: { type: 'conditional_normal', hidden: [hidden] } });
  // The flow's own parameters say which net it drew.
  const parameters = await flow.parameters();
  expect(Object.keys(parameters)).toContain('base.net.1.weight');
  for (const name of ['0', '1'])
    for (const part of ['weight', 'bias']) tensor(`net.${name}.${part}`).set(parameters[`base.net.${name}.${part}`]!.data);
  const context = random.normals(20 * contextDim);
  const x = random.normals(20 * dim);
  const [{ z, logDet }, logProb] = [await flow.forward(x, { context }), await flow.logProb(x, { context })];
  for (let row = 0; row < 20; row++) {
    const linear = (name: string, input: number[], outputs: number) =>
      Array.from({ length: outputs }, (_, o) =>
        input.reduce((sum, value, i) => sum + tensor(`net.${name}.weight`)[o * input.length + i]! * value, tensor(`net.${name}.bias`)[o]!),
      );
    const h = linear('0', Array.from(context.subarray(row * contextDim, (row + 1) * contextDim)), hidden).map(Math.tanh);
    const out = linear('1', h, 2 * dim);
    let want = logDet[row]!;
    for (let f = 0; f < dim; f++) {
      const whitened = (z[row * dim + f]! - out[f]!) * Math.exp(-out[dim + f]!);
      want -= 0.5 * whitened ** 2 + out[dim + f]! + 0.5 * Math.log(2 * Math.PI);
    }
    expect(logProb[row]).toBeCloseTo(want, 3);
  }
});

test('recipes save their base, and a file that names one loads', async () => {
  for (const base of [
    { type: 'normal' },
    { type: 'mixture', components: 3 },
    { type: 'uniform', low: -4, high: 4 },
    { type: 'conditional_normal' },
  ] satisfies BaseOption[]) {
    const flow = await realNVP(held.gpu, { dim: 2, layers: 1, hidden: [4], contextDim: 1, base });
    const loaded = await loadFlow(held.gpu, await flow.save());
    const context = Float32Array.of(0.3);
    expect(await loaded.sample(5, { seed: 1, context })).toEqual(await flow.sample(5, { seed: 1, context }));
  }
  const description = {
    features: 2,
    base: { type: 'conditional_normal', net: { type: 'masked_mlp', linears: ['a'], activation: 'relu' } },
    structure_direction: 'density',
    structure: [{ op: 'permute', perm: [1, 0] }],
  };
  const make = () => importTorch(held.gpu, description, new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]));
  await expectError(make, FormatError, 'E_FORMAT', 'description.base: reads a context; the description has context_features 0');
});

test('what does not fit is refused by name', async () => {
  const make = (base: unknown, more = {}) => maf(held.gpu, { dim: 2, layers: 1, hidden: [4], base: wrong(base), ...more });
  for (const [base, sentence] of [
    [{ type: 'mixture', components: 0 }, /^base: components needs an integer ≥ 1; got 0/],
    [{ type: 'mixture', components: 2, spread: Number.NaN }, /^base: spread/],
    [{ type: 'uniform', low: 1, high: 1 }, /^base: low\[0\] needs a number below high, 1; got 1/],
    [{ type: 'uniform', low: [0], high: 1 }, /^base: low needs a finite number, or 2 of them; got \[0\]/],
    [{ type: 'uniform', high: Number.POSITIVE_INFINITY }, /^base: high/],
    [{ type: 'conditional_normal' }, /^base: conditional_normal needs a contextDim of at least 1/],
    [{ type: 'cauchy' }, /^base: type needs .* or 'conditional_normal'; got "cauchy"/],
    [{}, /^base: type/],
  ] as const)
    await expectError(() => make(base), ValueError, 'E_VALUE', sentence);
  await expectError(() => make({ type: 'conditional_normal', hidden: [0] }, { contextDim: 1 }), ValueError, 'E_VALUE', /^base: hidden/);
  for (const support of ['line', { alpha: 0.5 }, { alpha: -1 }, null])
    await expectError(
      () => maf(held.gpu, { dim: 2, layers: 1, hidden: [4], support: wrong(support) }),
      ValueError,
      'E_VALUE',
      /^support needs/,
    );
});

test('outside the unit support the density is 0, and draws stay inside', async () => {
  const flow = await realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], support: 'unit', seed: 2 });
  const logProb = await flow.logProb(Float32Array.of(0.5, 0.5, 0, 0.5, 0.5, 1, -0.1, 0.5, 0.5, 7, Number.NaN, 0.5, 1e-30, 1 - 2 ** -24));
  expect(Number.isFinite(logProb[0])).toBe(true);
  for (const row of [1, 2, 3, 4]) expect(logProb[row]).toBe(Number.NEGATIVE_INFINITY);
  expect(logProb[5]).toBeNaN();
  expect(Number.isFinite(logProb[6])).toBe(true);
  // Latents so far out that the sigmoid rounds to its limits.
  const { x } = await flow.inverse(Float32Array.of(80, -300, 300, -80));
  expect(x.every((value) => value > 0 && value < 1)).toBe(true);
});
