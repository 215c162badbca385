// Integer data: the bounds, the draws, and what is refused.

import { describe, expect, test } from 'vitest';
import { DisposedError, dequantize, type Flow, Gpu, maf, realNVP, ShapeError, ValueError } from '../../src/index.js';
import { runProgram } from '../reference/run.js';
import { expectError, wrong } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';
import { freshSeed, Random } from '../support/random.js';

const held = useGpu();

const integers = (random: Random, count: number, levels: number) => Float32Array.from({ length: count }, () => random.integer(levels));
const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** All levels^2 vectors of two features, row-major. */
const lattice = (levels: number) =>
  Float32Array.from({ length: 2 * levels * levels }, (_, i) => (i % 2 ? (i >> 1) % levels : Math.floor((i >> 1) / levels)));

// Gentle scales: then weights spread little, and a few hundred tell their mean.
const scale = { form: 'tanh', bound: 0.3 } as const;
const flowOf = (gpu: Gpu, contextDim = 0) => realNVP(gpu, { dim: 2, layers: 2, hidden: [16], contextDim, scale, support: 'unit', seed: 3 });
const noiseOf = (gpu: Gpu, contextDim = 2) => realNVP(gpu, { dim: 2, layers: 2, hidden: [16], contextDim, scale, seed: 4 });

/** P(k) of a flow on the unit square, by midpoints of `side`² cells of k's own cell; the edge cells miss a little of the logit's slope. */
async function probabilities(flow: Flow, levels: number, side: number): Promise<Float64Array> {
  const fine = await flow.logProb(lattice(levels * side).map((k) => (k + 0.5) / (levels * side)));
  const result = new Float64Array(levels * levels);
  for (const [at, value] of fine.entries()) {
    const [a, b] = [Math.floor(at / (levels * side)), at % (levels * side)];
    result[Math.floor(a / side) * levels + Math.floor(b / side)]! += Math.exp(value) / (levels * side) ** 2;
  }
  return result;
}

describe.each(['uniform', 'variational'] as const)('%s noise', (kind) => {
  const make = async (levels = 4) => {
    const flow = await flowOf(held.gpu);
    const noise = kind === 'variational' ? await noiseOf(held.gpu) : null;
    const integer = dequantize({ flow, levels, ...(noise && { noise }) });
    return { flow, integer };
  };

  test('the mean weight is the probability, and the bound is below it', async () => {
    const levels = 4;
    const { flow, integer } = await make(levels);
    const exact = await probabilities(flow, levels, 40);
    expect(Math.abs(exact.reduce((a, b) => a + b) - 1)).toBeLessThan(5e-3);
    const k = lattice(levels);
    const draws = await Promise.all(Array.from({ length: 30 }, (_, seed) => integer.logProb(k, { seed })));
    const many = await integer.logProb(k, { seed: 5, samples: 500 });
    for (const [row, probability] of exact.entries()) {
      const weights = draws.map((draw) => draw[row]!);
      expect(mean(weights), `row ${row}`).toBeLessThan(Math.log(probability) + 0.02);
      // Means of 500 weights. Untrained noise is far from the posterior, and its weights spread by more than uniform ones.
      expect(Math.abs(many[row]! - Math.log(probability)), `row ${row}`).toBeLessThan(kind === 'uniform' ? 0.15 : 0.6);
    }
    expect(mean(many)).toBeGreaterThan(mean(draws.map(mean)));
    integer.dispose();
    flow.dispose();
  });

  test.each([1, 3, 257])('the device agrees with float64 on %i rows, split or not', async (rows) => {
    const random = new Random(freshSeed());
    const { integer } = await make(256);
    const k = integers(random, rows * 2, 256);
    const exact = runProgram(integer.record('logProb'), { rows, seed: 9, externals: { k: Float64Array.from(k) } }).logProb!;
    const got = await integer.logProb(k, { seed: 9 });
    for (const [row, value] of got.entries())
      expect(Math.abs(value - exact[row]!) / (1 + Math.abs(exact[row]!)), `VITE_TEST_SEED=${random.seed}`).toBeLessThan(1e-4); // next to 1, the logit magnifies a rounding by up to 256
    const small = Gpu.from(held.gpu.device, { maxRowsPerChunk: 64 });
    const again = dequantize({ flow: await flowOf(small), levels: 256, ...(kind === 'variational' && { noise: await noiseOf(small) }) });
    expect(bits(await again.logProb(k, { seed: 9 }))).toEqual(bits(got));
    small.dispose();
  });

  test('draws follow the probabilities', async () => {
    const levels = 3;
    const { flow, integer } = await make(levels);
    const exact = await probabilities(flow, levels, 40);
    const count = 20_000;
    const k = await integer.sample(count, { seed: 11 });
    const observed = new Float64Array(exact.length);
    for (let row = 0; row < count; row++) observed[k[2 * row]! * levels + k[2 * row + 1]!]!++;
    const chiSquare = observed.reduce((sum, seen, cell) => sum + (seen - count * exact[cell]!) ** 2 / (count * exact[cell]!), 0);
    expect(chiSquare).toBeLessThan(exact.length + 5 * Math.sqrt(2 * exact.length));
  });
});

test('the weight of a draw is that of its parts: the noise flow draws, the flow scores', async () => {
  const [flow, noise] = [await flowOf(held.gpu), await noiseOf(held.gpu)];
  const levels = 8;
  const integer = dequantize({ flow, levels, noise });
  const k = integers(new Random(freshSeed()), 100, levels);
  const { x: a, logProb: logQ } = await noise.sampleWithLogProb(50, { seed: 6, context: k.map((value) => (2 * value + 1) / levels - 1) });
  const logP = await flow.logProb(k.map((value, i) => (value + 1 / (1 + Math.exp(-a[i]!))) / levels));
  const got = await integer.logProb(k, { seed: 6 });
  for (const [row, value] of got.entries()) {
    let want = logP[row]! - logQ[row]! - 2 * Math.log(levels);
    for (const v of a.subarray(2 * row, 2 * row + 2)) want += Math.log(1 / (1 + Math.exp(-v))) + Math.log(1 / (1 + Math.exp(v)));
    expect(Math.abs(value - want), `row ${row}`).toBeLessThan(1e-4 * (1 + Math.abs(want)));
  }
});

test('bits for each feature are the bound in other units; samples of one seed repeat, of neighbouring seeds do not', async () => {
  const flow = await flowOf(held.gpu);
  const integer = dequantize({ flow, levels: 16 });
  const k = integers(new Random(freshSeed()), 40, 16);
  const [bound, inBits] = [await integer.logProb(k, { seed: 1, samples: 3 }), await integer.bitsPerDim(k, { seed: 1, samples: 3 })];
  for (const [row, value] of inBits.entries()) expect(value).toBeCloseTo(-bound[row]! / (2 * Math.log(2)), 5);
  expect(bits(await integer.logProb(k, { seed: 1, samples: 3 }))).toEqual(bits(bound));
  const seven = await integer.logProb(k, { seed: 7 });
  // log-mean of (7, next): were the next draw that of seed 8, this would be their mean.
  const [two, eight] = [await integer.logProb(k, { seed: 7, samples: 2 }), await integer.logProb(k, { seed: 8 })];
  const shared = seven.map((value, row) => Math.log((Math.exp(value) + Math.exp(eight[row]!)) / 2));
  expect(two.some((value, row) => Math.abs(value - shared[row]!) > 1e-3)).toBe(true);
  expect(await integer.logProb(new Float32Array(0))).toHaveLength(0);
  expect(await integer.sample(0)).toHaveLength(0);
});

test('a context reaches the flow, and the noise after the integers', async () => {
  const flow = await flowOf(held.gpu, 3);
  const random = new Random(freshSeed());
  const k = integers(random, 20, 8);
  const [one, other] = [random.normals(3), random.normals(3)];
  for (const contextDim of [2, 5]) {
    const integer = dequantize({ flow, levels: 8, noise: await noiseOf(held.gpu, contextDim) });
    const got = await integer.logProb(k, { seed: 2, context: one });
    const context = Float32Array.from({ length: 30 }, (_, i) => one[i % 3]!);
    expect(bits(await integer.logProb(k, { seed: 2, context }))).toEqual(bits(got));
    const changed = await integer.logProb(k, { seed: 2, context: other });
    expect(changed.every((value, row) => value !== got[row])).toBe(true);
    const exact = runProgram(integer.record('logProb'), {
      rows: 10,
      seed: 2,
      externals: { k: Float64Array.from(k), context: Float64Array.from(context) },
    }).logProb!;
    for (const [row, value] of got.entries()) expect(Math.abs(value - exact[row]!) / (1 + Math.abs(exact[row]!))).toBeLessThan(1e-5);
    expect(await integer.sample(7, { context: one, seed: 1 })).toHaveLength(14);
    await expectError(() => integer.logProb(k), ShapeError, 'E_SHAPE', 'logProb: context needs [10, 3] or [3]; got none');
  }
});

test('what does not fit is refused by name', async () => {
  const flow = await flowOf(held.gpu);
  const integer = dequantize({ flow, levels: 4 });
  for (const [value, shown] of [
    [4, '4'],
    [-1, '-1'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
  ] as const) {
    const k = Float32Array.of(0, 1, 2, 3, 0, value);
    const sentence = `logProb: k, row 2, feature 1, needs an integer from 0 to 3; got ${shown}`;
    await expectError(() => integer.logProb(k), ValueError, 'E_VALUE', sentence);
  }
  await expectError(() => integer.logProb(new Float32Array(3)), ShapeError, 'E_SHAPE', /^logProb: k needs \[n, 2\]/);
  await expectError(() => integer.bitsPerDim(new Float32Array(2), { samples: 0 }), ValueError, 'E_VALUE', /^bitsPerDim: samples/);
  await expectError(() => integer.sample(1.5), ValueError, 'E_VALUE', /^sample: count/);
  await expectError(
    () => dequantize({ flow, levels: 1 }),
    ValueError,
    'E_VALUE',
    'dequantize: levels needs an integer from 2 to 65536; got 1',
  );
  await expectError(() => dequantize({ flow: wrong({}), levels: 4 }), ValueError, 'E_VALUE', /^dequantize: flow/);
  const narrow = await maf(held.gpu, { dim: 3, layers: 1, hidden: [4], contextDim: 2 });
  await expectError(
    () => dequantize({ flow, levels: 4, noise: narrow }),
    ValueError,
    'E_VALUE',
    'dequantize: noise needs dim 2, as flow has; got 3',
  );
  const free = await noiseOf(held.gpu, 0);
  await expectError(
    () => dequantize({ flow, levels: 4, noise: free }),
    ValueError,
    'E_VALUE',
    'dequantize: noise needs contextDim 2, the integers; got 0',
  );
  integer.dispose();
  integer.dispose();
  await expectError(() => integer.logProb(new Float32Array(2)), DisposedError, 'E_DISPOSED', /disposed/);
  expect(await flow.logProb(Float32Array.of(0.5, 0.5))).toHaveLength(1); // the flow stays
});

test('what was uploaded is freed', async () => {
  const flow = await flowOf(held.gpu);
  const noise = await noiseOf(held.gpu);
  const k = integers(new Random(1), 20, 4);
  const run = async () => {
    using integer = dequantize({ flow, levels: 4, noise });
    await integer.logProb(k, { seed: 1 });
    await integer.sample(10, { seed: 1 });
  };
  await run(); // fills the pools
  const before = held.gpu.memory.usage;
  await run();
  expect(held.gpu.memory.usage).toEqual(before);
});
