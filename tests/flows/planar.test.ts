// What is special to planar, radial and Sylvester flows: steep and almost flat layers, far inputs, the published constraints, errors.

import { describe, expect, test } from 'vitest';
import { buildFlow } from '../../src/flows/build/flow.js';
import { planarOps } from '../../src/flows/build/planar.js';
import type { Flow, GpuFlow } from '../../src/flows/flow.js';
import { uniformGenerator } from '../../src/flows/recipes/initial.js';
import type { OpDescription } from '../../src/format/description.js';
import { parseDescription } from '../../src/format/format.js';
import type { StoredTensor } from '../../src/format/safetensors.js';
import { FormatError, planar, radial, sylvester, ValueError } from '../../src/index.js';
import { expectError, wrong } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';
import { ReferenceFlow } from '../support/reference-flow.js';

const held = useGpu();

type Tensors = Record<string, readonly [shape: number[], data: number[]]>;

function build(op: OpDescription, tensors: Tensors, dim: number, contextDim = 0): Flow {
  const description = parseDescription({
    features: dim,
    context_features: contextDim,
    base: { type: 'standard_normal' },
    structure_direction: 'generate',
    structure: [op],
  });
  const stored = Object.entries(tensors).map(([name, [shape, data]]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape, data: Float32Array.from(data) },
  ]);
  return buildFlow(held.gpu, description, new Map(stored), planarOps);
}

const PLANAR = { op: 'planar', u: 'u', w: 'w', b: 'b', activation: 'tanh' } as const;
const planarOf = (u: number[], w: number[], b: number, op: OpDescription = PLANAR) =>
  build(op, { u: [[u.length], u], w: [[w.length], w], b: [[1], [b]] }, w.length);

const RADIAL = { op: 'radial', z0: 'z0', alpha: 'alpha', beta: 'beta' } as const;
const radialOf = (z0: number[], alpha: number, beta: number) =>
  build(RADIAL, { z0: [[z0.length], z0], alpha: [[1], [alpha]], beta: [[1], [beta]] }, z0.length);

const FAR = Float32Array.of(0, 0, 1e-20, 0, 1, -1, 1e4, -1e4, -1e8, 1e8, 1e18, 0, 3e38, -3e38, 0, 1e38);

describe('planar', () => {
  // w·u of −6 leaves a slope of 0.0025 at its flattest, of 40 a slope of 39 at its steepest.
  test.each([-6, -1, 0, 3, 40])('w·u = %f: every input has a finite preimage that maps back', async (dot) => {
    const flow = planarOf([dot, 0.5], [1, 0], 0.25);
    const random = uniformGenerator(3);
    const x = Float32Array.from([...FAR, ...Array.from({ length: 200 }, () => 20 * random() - 10)]);
    const { z, logDet } = await flow.forward(x);
    expect(z.every(Number.isFinite)).toBe(true);
    expect(logDet.every(Number.isFinite)).toBe(true);
    const back = await flow.inverse(z);
    for (const [i, value] of back.x.entries()) {
      const scale = Math.max(1, Math.abs(x[i - (i % 2)]!), Math.abs(x[i - (i % 2) + 1]!), Math.abs(dot));
      expect(Math.abs(value - x[i]!), `x[${i}] = ${x[i]}`).toBeLessThan(2e-6 * scale);
    }
    flow.dispose();
  });

  test('the determinant is that of the published constraint', async () => {
    const flow = planarOf([-6], [1], 0);
    // At z = 0 tanh' is 1, so dx/dz = softplus(w·u).
    const { logDet } = await flow.inverse(Float32Array.of(0));
    expect(logDet[0]).toBeCloseTo(Math.log(Math.log1p(Math.exp(-6))), 5);
    const { logDet: back } = await flow.forward(Float32Array.of(0));
    expect(back[0]).toBeCloseTo(-Math.log(Math.log1p(Math.exp(-6))), 5);
    flow.dispose();
  });

  test('w = 0 is a shift by u h(b)', async () => {
    const flow = planarOf([2, -1], [0, 0], 0.5);
    const { x, logDet } = await flow.inverse(Float32Array.of(1, 1));
    expect(x[0]).toBeCloseTo(1 + 2 * Math.tanh(0.5), 6);
    expect(x[1]).toBeCloseTo(1 - Math.tanh(0.5), 6);
    expect(logDet[0]).toBe(0);
    const { z } = await flow.forward(x);
    expect(z[0]).toBeCloseTo(1, 6);
    flow.dispose();
  });

  test('a network that says w = 0 gives a shift too', async () => {
    const op = {
      op: 'planar',
      net: { type: 'masked_mlp', linears: ['net'], activation: 'relu' },
      activation: 'tanh',
    } satisfies OpDescription;
    const tensors: Tensors = {
      'net.weight': [
        [3, 1],
        [1, 1, 0],
      ],
      'net.bias': [[3], [0, 0, 0]],
    };
    const flow = build(op, tensors, 1, 1);
    const context = Float32Array.of(0.5);
    const { x, logDet } = await flow.inverse(Float32Array.of(1), { context });
    expect(x[0]).toBeCloseTo(1 + 0.5 * Math.tanh(0.5), 6);
    expect(logDet[0]).toBe(0);
    flow.dispose();
  });

  test('a row keeps its bits beside any neighbours', async () => {
    const flow = planarOf([-3, 1], [1, -1], 0.1);
    const row = [0.3, -0.2];
    const alone = await flow.forward(Float32Array.from(row));
    const beside = await flow.forward(Float32Array.from([...row, 1e4, 1, Number.NaN, 0, 1e-10, 1e-10]));
    expect([...beside.z.subarray(0, 2), beside.logDet[0]]).toEqual([...alone.z, alone.logDet[0]]);
    expect(beside.z[4]).toBeNaN();
    flow.dispose();
  });
});

describe('radial', () => {
  test.each([-6, 0, 20])('beta = %f: far inputs and the centre have finite preimages that map back', async (beta) => {
    const flow = radialOf([1, -1], -0.75, beta);
    const x = Float32Array.from([...FAR, 1, -1, 1 + 2 ** -22, -1]);
    const { z, logDet } = await flow.forward(x);
    expect(z.every(Number.isFinite)).toBe(true);
    expect(logDet.every(Number.isFinite)).toBe(true);
    const { x: back } = await flow.inverse(z);
    for (const [i, value] of back.entries()) {
      const scale = Math.max(1, Math.abs(x[i - (i % 2)]!), Math.abs(x[i - (i % 2) + 1]!));
      expect(Math.abs(value - x[i]!), `x[${i}] = ${x[i]}`).toBeLessThan(1e-6 * scale);
    }
    flow.dispose();
  });
});

test('structure_direction generate is the density list from its other end', async () => {
  const tensors: Tensors = { u: [[1], [1]], w: [[1], [2]], b: [[1], [0.3]], z0: [[1], [0.5]], alpha: [[1], [1]], beta: [[1], [1]] };
  const stored = new Map(
    Object.entries(tensors).map(([name, [shape, data]]): [string, StoredTensor] => [
      name,
      { dtype: 'F32', shape, data: Float32Array.from(data) },
    ]),
  );
  const make = (direction: string, structure: OpDescription[]) =>
    buildFlow(
      held.gpu,
      parseDescription({ features: 1, base: { type: 'standard_normal' }, structure_direction: direction, structure }),
      stored,
      planarOps,
    ) as GpuFlow;
  const [there, back] = [make('generate', [PLANAR, RADIAL]), make('density', [RADIAL, PLANAR])];
  const z = Float32Array.of(-1, 0.2, 3);
  expect(new ReferenceFlow(there).inverse(z)).toEqual(new ReferenceFlow(back).inverse(z));
  // Noise passes the planar layer first: by hand.
  const c = Math.log1p(Math.exp(2)) - 1;
  const planarOut = 0.2 + (1 + ((c - 2) / 4) * 2) * Math.tanh(2 * 0.2 + 0.3);
  const s = Math.log1p(Math.exp(1));
  const expected = planarOut + ((s - 1) / (1 + Math.abs(planarOut - 0.5))) * (planarOut - 0.5);
  expect((await there.inverse(z)).x[1]).toBeCloseTo(expected, 5);
  there.dispose();
  back.dispose();
});

describe('errors', () => {
  const net = { type: 'masked_mlp', linears: ['net'], activation: 'relu' } as const;
  test.each([
    ['no slope', { ...PLANAR, activation: 'leaky_relu' }, /negative_slope: needs a number in \[0, 1\]; got undefined/],
    [
      'a slope above 1',
      { ...PLANAR, activation: 'leaky_relu', negative_slope: 1.5 },
      /negative_slope: needs a number in \[0, 1\]; got 1.5/,
    ],
    ['neither tensors nor a net', { op: 'planar', activation: 'tanh' }, /needs either net or all of u, w, b; got none of them/],
    ['both', { ...RADIAL, net }, /needs either net or all of z0, alpha, beta; got z0, alpha, beta, net/],
    ['a part', { op: 'sylvester', units: 1, r: 'r' }, /needs either net or all of r, r_tilde, b; got r/],
    ['a net without a context', { op: 'radial', net }, /net: reads a context; the description has context_features 0/],
    ['alpha 0', RADIAL, /alpha: needs an alpha other than 0/],
    [
      'too many units',
      { op: 'sylvester', units: 3, r: 'r', r_tilde: 'r', b: 'b' },
      /units: needs at most 1, the number of features; got 3/,
    ],
    [
      'a reflection along 0',
      { op: 'sylvester', units: 1, r: 'r', r_tilde: 'r', b: 'b', householder: 'v' },
      /v: needs vectors other than 0; row 1 is 0/,
    ],
  ] as const)('%s', async (_, op, sentence) => {
    const tensors: Tensors = {
      u: [[1], [1]],
      w: [[1], [1]],
      b: [[1], [0]],
      z0: [[1], [0]],
      alpha: [[1], [0]],
      beta: [[1], [0]],
      r: [[1, 1], [0]],
      v: [
        [2, 1],
        [1, 0],
      ],
    };
    await expectError(() => build(wrong(op), tensors, 1), FormatError, 'E_FORMAT', sentence);
  });

  test.each([
    ['planar: negativeSlope', () => planar(held.gpu, { dim: 2, negativeSlope: 2 })],
    ['planar: activation', () => planar(held.gpu, { dim: 2, activation: wrong('relu') })],
    ['radial: dim', () => radial(held.gpu, { dim: 0 })],
    ['sylvester: units', () => sylvester(held.gpu, { dim: 2, units: 3 })],
    ['sylvester: units', () => sylvester(held.gpu, { dim: 3, units: 2, basis: 'triangular' })],
    ['sylvester: basis', () => sylvester(held.gpu, { dim: 3, basis: wrong('qr') })],
    ['sylvester: reflections', () => sylvester(held.gpu, { dim: 3, reflections: 0 })],
  ] as const)('%s', (place, make) => expectError(make, ValueError, 'E_VALUE', new RegExp(`^${place} needs `)));
});
