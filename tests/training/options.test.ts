// What `fit` does by its options: pieces, averages, integers, starts from data, and runs that go on.

import { describe, expect, test } from 'vitest';
import { dequantize, type FitOptions, FormatError, fit, loadFlow, maf, nice, realNVP, ValueError } from '../../src/index.js';
import { useGpu } from '../support/gpu.js';
import { Random } from '../support/random.js';

const held = useGpu();

/** Two features, correlated, far from the origin. */
function points(rows: number, seed: number): Float32Array {
  const random = new Random(seed);
  const x = new Float32Array(2 * rows);
  for (let i = 0; i < rows; i++) {
    const u = random.normal();
    x.set([5 + 3 * u, -2 + u + 0.5 * random.normal()], 2 * i);
  }
  return x;
}

const small = () => realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });

const flatten = async (flow: { parameters(): Promise<Record<string, { data: Float32Array }>> }) =>
  Float32Array.from(Object.values(await flow.parameters()).flatMap(({ data }) => [...data]));

async function trained(x: Float32Array, options: FitOptions): Promise<Float32Array> {
  const flow = await small();
  await fit(flow, x, options);
  return flatten(flow);
}

const worst = (a: Float32Array, b: Float32Array) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

describe('accumulate', () => {
  test('pieces of a batch give the gradient of the whole', async () => {
    const x = points(700, 1);
    const options = { steps: 5, batch: 300, learningRate: 1e-2, optimiser: 'sgd', clipNorm: 1e9, schedule: 'constant' } as const;
    const whole = await trained(x, options);
    const pieces = await trained(x, { ...options, accumulate: 4 });
    expect(worst(whole, pieces)).toBeLessThan(1e-5);
    expect(worst(whole, await trained(x, { ...options, batch: 256 }))).toBeGreaterThan(1e-4);
  });
});

describe('average', () => {
  test('the flow takes the moving average of its parameters', async () => {
    const x = points(300, 2);
    const options = { batch: 64, learningRate: 1e-2, schedule: 'constant' } as const;
    const decay = 0.25;
    let expected = await flatten(await small());
    for (const steps of [1, 2, 3]) {
      const now = await trained(x, { ...options, steps });
      const keep = Math.min(decay, (1 + steps) / (10 + steps));
      expected = expected.map((value, i) => keep * value + (1 - keep) * now[i]!);
    }
    const got = await trained(x, { ...options, steps: 3, average: decay });
    expect(worst(got, expected)).toBeLessThan(1e-6);
    expect(worst(got, await trained(x, { ...options, steps: 3 }))).toBeGreaterThan(1e-4);
  });
});

describe('levels', () => {
  test('integer data reach their entropy, in bits for each feature', async () => {
    const random = new Random(3);
    // Sums of eight coins: 2.54 bits; the other feature follows it but for one coin.
    const x = new Float32Array(2 * 3000);
    for (let row = 0; row < 3000; row++) {
      const coins = Array.from({ length: 8 }, () => Math.round(random.uniform()));
      const sum = coins.reduce((a, b) => a + b, 0);
      x.set([sum, sum + Math.round(random.uniform())], 2 * row);
    }
    const flow = await maf(held.gpu, { dim: 2, layers: 2, hidden: [16], seed: 1 });
    const { loss, bitsPerDim } = await fit(flow, x, { steps: 500, batch: 256, learningRate: 1e-2, levels: 10, validation: 0.2 });
    expect(bitsPerDim).toBeCloseTo(loss / (2 * Math.LN2), 10);
    const bits = await dequantize({ flow, levels: 10 }).bitsPerDim(x, { seed: 5 });
    const mean = bits.reduce((sum, value) => sum + value, 0) / bits.length;
    expect(Math.abs(mean - bitsPerDim!)).toBeLessThan(0.05);
    // Entropy (2.54 + 1) / 2; no flow of two affine layers has the steps of a histogram.
    expect(mean).toBeGreaterThan(1.77 - 0.05);
    expect(mean).toBeLessThan(2.1);
    await expect(fit(flow, Float32Array.of(1, 2, 10, 0), { levels: 10 })).rejects.toThrow(
      'fit: data, row 1, feature 0, needs an integer from 0 to 9; got 10',
    );
    await expect(fit(flow, x, { levels: 1 })).rejects.toThrow(ValueError);
  });

  test('every step draws new noise', async () => {
    // One row in one cell: with noise of its own each step has a loss of its own, though the parameters hardly move.
    const flow = await small();
    const { history } = await fit(flow, Float32Array.of(3, 0), { steps: 6, batch: 1, levels: 4, learningRate: 1e-9, initialise: false });
    expect(new Set(history.map(({ loss }) => loss)).size).toBe(6);
  });
});

describe('initialise', () => {
  test('batch norm and ActNorm that are the identity take the statistics of the data', async () => {
    const x = points(6000, 4);
    const options = { steps: 1, learningRate: 1e-12, batch: 64, batchStatistics: false };
    const flow = await maf(held.gpu, { dim: 2, layers: 2, hidden: [8], batchNorm: true, seed: 2 });
    await fit(flow, x, options);
    const { z } = await flow.forward(x);
    for (const f of [0, 1]) {
      const column = z.filter((_, at) => at % 2 === f);
      const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
      const deviation = Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length);
      expect(Math.abs(mean)).toBeLessThan(0.05);
      expect(Math.abs(deviation - 1)).toBeLessThan(0.05);
    }
    const plain = await maf(held.gpu, { dim: 2, layers: 2, hidden: [8], batchNorm: true, seed: 2 });
    const before = await plain.save();
    await fit(plain, x, { ...options, initialise: false, learningRate: 1e-30 });
    expect(await plain.save()).toEqual(before);
    // A flow that has statistics keeps them.
    const after = (await loadFlow(held.gpu, await flow.save())) as typeof flow;
    await fit(after, points(500, 5), { ...options, learningRate: 1e-30 });
    expect(await after.save()).toEqual(await flow.save());
  });

  test('a feature that is one integer in every row has the deviation of its noise', async () => {
    const random = new Random(8);
    const k = Float32Array.from({ length: 2 * 500 }, (_, at) => (at % 2 === 0 ? 3 : Math.floor(8 * random.uniform())));
    const flow = await maf(held.gpu, { dim: 2, layers: 1, hidden: [8], batchNorm: true, seed: 3 });
    const { loss } = await fit(flow, k, { steps: 1, learningRate: 1e-12, batch: 500, levels: 8, batchStatistics: false });
    // log 8 for the other feature, and what normals lose on uniforms, 0.18 nats for each.
    expect(loss).toBeLessThan(Math.log(8) + 0.8);
  });

  test('behind a diagonal scaling', async () => {
    const x = points(2000, 6);
    const flow = await nice(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 3 });
    const { loss } = await fit(flow, x, { steps: 1, learningRate: 1e-12, batch: 2000 });
    const other = await nice(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 3 });
    const without = await fit(other, x, { steps: 1, learningRate: 1e-12, batch: 2000, initialise: false });
    expect(loss).toBeLessThan(without.loss - 1);
  });
});

describe('progress', () => {
  const options = { steps: 40, batch: 32, learningRate: 1e-2, validation: 0.2, validateEvery: 5, average: 0.9, seed: 9 } as const;

  test('a run goes on from its state to the same bits', async () => {
    const x = points(400, 7);
    const whole = await small();
    const expected = await fit(whole, x, options);
    let saved: Uint8Array | null = null;
    const controller = new AbortController();
    const first = await small();
    const stopped = fit(first, x, {
      ...options,
      signal: controller.signal,
      onProgress: async ({ step, state }) => {
        if (step < 17 || saved) return;
        saved = await state();
        controller.abort();
      },
    });
    await expect(stopped).rejects.toThrow();
    const second = await small();
    const result = await fit(second, x, { ...options, resume: saved! });
    expect(result).toEqual(expected);
    expect(await second.save()).toEqual(await whole.save());
  });

  test('a state of other options or of another flow is refused', async () => {
    const x = points(400, 7);
    let saved: Uint8Array | null = null;
    await fit(await small(), x, {
      ...options,
      onProgress: async ({ state }) => {
        saved ??= await state();
      },
    });
    const resume = saved!;
    const go = async (change: Partial<FitOptions>) => fit(await small(), x, { ...options, resume, ...change });
    await expect(go({ batch: 16 })).rejects.toThrow('fit: resume: needs batch 32, as the run that was saved has; got 16');
    const other = await realNVP(held.gpu, { dim: 2, layers: 1, hidden: [8] });
    await expect(fit(other, x, { ...options, resume })).rejects.toThrow(FormatError);
    await expect(fit(other, x, { ...options, resume: new Uint8Array(3) })).rejects.toThrow(FormatError);
    await expect(fit(other, x, { ...options, resume: await other.save() })).rejects.toThrow('needs the key "pushforward.training"');
  });

  test('training waits for what onProgress returns, and shows its parameters on demand', async () => {
    const x = points(400, 8);
    const flow = await small();
    const before = await flatten(flow);
    let [paused, calls] = [false, 0];
    await fit(flow, x, {
      ...options,
      onProgress: async ({ update }) => {
        expect(paused).toBe(false);
        paused = true;
        if (++calls === 1) {
          expect(await flatten(flow)).toEqual(before);
          await update();
          expect(await flatten(flow)).not.toEqual(before);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
        paused = false;
      },
    });
    expect(calls).toBeGreaterThan(2);
  });
});
