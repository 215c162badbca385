// Training by maximum likelihood: what it reaches, what it leaves alone, and how it ends.

import { describe, expect, test } from 'vitest';
import { type FitProgress, fit, loadFlow, maf, realNVP, ShapeError, StateError, ValueError } from '../../src/index.js';
import { useGpu } from '../support/gpu.js';
import { Random } from '../support/random.js';

const held = useGpu({ ruled: false });

/** N(μ, A Aᵀ) with A lower triangular, and the mean of −log p: the loss that nothing beats. */
function correlated(rows: number, seed: number) {
  const random = new Random(seed);
  const x = new Float32Array(2 * rows);
  for (let i = 0; i < rows; i++) {
    const [u, v] = [random.normal(), random.normal()];
    x[2 * i] = 3 + 2 * u;
    x[2 * i + 1] = -1 + 1.5 * u + 0.5 * v;
  }
  return { x, entropy: 1 + Math.log(2 * Math.PI) + Math.log(2 * 0.5) };
}

describe('fit', () => {
  test('reaches the entropy of a correlated normal', async () => {
    const { x, entropy } = correlated(4000, 1);
    const flow = await maf(held.gpu, { dim: 2, layers: 2, hidden: [16], seed: 1 });
    const steps: number[] = [];
    const { loss, history, validation } = await fit(flow, x, {
      steps: 600,
      batch: 200,
      learningRate: 1e-2,
      validation: 0.25,
      onProgress: ({ step }) => steps.push(step),
    });
    const fresh = correlated(4000, 2).x;
    const mean = -(await flow.logProb(fresh)).reduce((sum, value) => sum + value, 0) / 4000;
    expect(mean).toBeLessThan(entropy + 0.03);
    expect(Math.abs(loss - mean)).toBeLessThan(0.1);
    expect(history.at(-1)!.step).toBe(600);
    expect(history[0]!.loss).toBeGreaterThan(history.at(-1)!.loss + 1);
    expect(validation[0]!.step).toBe(0);
    expect(steps.at(-1)).toBe(600);
    const again = await loadFlow(held.gpu, await flow.save());
    expect(await again.logProb(fresh.subarray(0, 20))).toEqual(await flow.logProb(fresh.subarray(0, 20)));
    const samples = await flow.sample(4000, { seed: 3 });
    const average = samples.reduce((sum, value, i) => sum + (i % 2 === 0 ? value : 0), 0) / 4000;
    expect(Math.abs(average - 3)).toBeLessThan(0.2);
  });

  test('the same seed gives the same bits, another seed others', async () => {
    const { x } = correlated(500, 3);
    const train = async (seed: number) => {
      const flow = await realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });
      await fit(flow, x, { steps: 20, batch: 64, seed });
      return flow.save();
    };
    const [a, b, c] = [await train(5), await train(5), await train(6)];
    expect(b).toEqual(a);
    expect(c).not.toEqual(a);
  });

  test('a conditional flow learns from its context', async () => {
    const random = new Random(4);
    const context = random.normals(2000);
    const x = context.map((value) => 2 * value + 0.1 * random.normal());
    const flow = await maf(held.gpu, { dim: 1, layers: 1, hidden: [8], contextDim: 1, seed: 1 });
    const { loss } = await fit(flow, x, { context, steps: 400, batch: 200, learningRate: 1e-2 });
    expect(loss).toBeLessThan(0.5 + 0.5 * Math.log(2 * Math.PI) + Math.log(0.1) + 0.15);
  });

  test('a recorded sampler draws from the trained flow, without another prepare', async () => {
    const { x } = correlated(500, 5);
    const flow = await maf(held.gpu, { dim: 2, layers: 1, hidden: [8], seed: 1 });
    await flow.prepare({ count: 100 });
    await fit(flow, x, { steps: 30, learningRate: 1e-2 });
    const { device } = held.gpu;
    const encoder = device.createCommandEncoder();
    const drawn = flow.encodeSample(encoder, { count: 100, seed: 9 });
    const staging = device.createBuffer({ size: 800, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    encoder.copyBufferToBuffer(drawn, 0, staging, 0, 800);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    expect(new Float32Array(staging.getMappedRange())).toEqual(await flow.sample(100, { seed: 9 }));
  });

  test('an abort rejects with its reason and leaves a usable flow with what was learned', async () => {
    const { x } = correlated(500, 6);
    const flow = await maf(held.gpu, { dim: 2, layers: 1, hidden: [8], seed: 1 });
    const before = await flow.logProb(x);
    const controller = new AbortController();
    const reason = new Error('enough');
    const training = fit(flow, x, {
      steps: 100_000,
      learningRate: 1e-2,
      signal: controller.signal,
      onProgress: ({ step }) => step > 20 && controller.abort(reason),
    });
    await expect(training).rejects.toBe(reason);
    const after = await flow.logProb(x);
    expect(after.every(Number.isFinite)).toBe(true);
    expect(after.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(before.reduce((sum, value) => sum + value, 0));
  });

  test('an update puts the present parameters into the flow, recorded calls included, and training goes on as without', async () => {
    const { x } = correlated(500, 9);
    const train = async (watched: boolean) => {
      const flow = await realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });
      await flow.prepare({ count: 10 });
      const losses: number[] = [];
      const onProgress = async ({ update }: FitProgress) => {
        await update();
        losses.push(-(await flow.logProb(x)).reduce((sum, value) => sum + value, 0) / 500);
        const encoder = held.gpu.device.createCommandEncoder();
        flow.encodeSample(encoder, { count: 10, seed: 1 }).destroy();
      };
      await fit(flow, x, { steps: 60, batch: 64, learningRate: 1e-2, ...(watched && { onProgress }) });
      return { losses, saved: await flow.save() };
    };
    const { losses, saved } = await train(true);
    expect(losses.length).toBeGreaterThan(2);
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.2);
    expect(saved).toEqual((await train(false)).saved);
  });

  test('an update that nobody waited for is waited for, and one that comes too late is an error', async () => {
    const { x } = correlated(500, 10);
    const flow = await realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });
    const kept: FitProgress[] = [];
    await fit(flow, x, {
      steps: 10,
      validation: 0.2,
      onProgress: (progress) => {
        void progress.update();
        kept.push(progress);
      },
    });
    const saved = await flow.save();
    await expect(kept.at(-1)!.update()).rejects.toThrow(/progress.update: training has gone on/);
    expect(await flow.save()).toEqual(saved);
  });

  test('training waits for a promise of onProgress, and does not count its time', async () => {
    const { x } = correlated(500, 11);
    const flow = await realNVP(held.gpu, { dim: 2, layers: 1, hidden: [8], seed: 1 });
    const pace: number[] = [];
    let open = 0;
    await fit(flow, x, {
      steps: 40,
      onProgress: async ({ step, stepsPerSecond }) => {
        expect(open++).toBe(0);
        if (step < 10) await new Promise((resolve) => setTimeout(resolve, 1000));
        pace.push(step / stepsPerSecond);
        open--;
      },
    });
    expect(pace.length).toBeGreaterThan(3);
    const began = performance.now();
    await fit(flow, x, { steps: 40 });
    expect(pace.at(-1)).toBeLessThan(1 + (2 * (performance.now() - began)) / 1000);
  });

  test('a loss that turns non-finite names the step, and the flow keeps the parameters before it', async () => {
    const { x } = correlated(500, 7);
    x[2 * 123] = 1e30; // finite, and its square is not
    const flow = await maf(held.gpu, { dim: 2, layers: 1, hidden: [8], seed: 1 });
    await expect(fit(flow, x, { steps: 200, batch: 50 })).rejects.toThrow(StateError);
    await expect(fit(flow, x, { steps: 200, batch: 50 })).rejects.toThrow(
      /^fit: the loss of step \d+, or its gradient, is not finite: row 123 of the data leaves .*; the flow keeps the parameters of step \d+$/,
    );
    const parameters = await flow.parameters();
    expect(Object.values(parameters).every(({ data }) => data.every(Number.isFinite))).toBe(true);
  });

  test('a row that overflows inside the flow is named with the layer', async () => {
    const { x } = correlated(100, 7);
    x[2 * 37 + 1] = 3e38;
    const flow = await maf(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });
    await expect(fit(flow, x, { steps: 200, batch: 50 })).rejects.toThrow(
      /^fit: the loss of step \d, or its gradient, is not finite: row 37 of the data leaves [\w-]+\[\d\] as (NaN|-?Infinity); the flow keeps/,
    );
  });

  test('arguments that do not fit are errors with a place', async () => {
    const flow = await maf(held.gpu, { dim: 2, layers: 1, hidden: [8] });
    await expect(fit(flow, new Float32Array(3))).rejects.toThrow(ShapeError);
    await expect(fit(flow, new Float32Array(0))).rejects.toThrow(/fit: data/);
    await expect(fit(flow, Float32Array.of(1, Number.NaN))).rejects.toThrow(/fit: data needs finite numbers; got NaN at 1/);
    await expect(fit(flow, new Float32Array(4), { steps: 0 })).rejects.toThrow(ValueError);
    await expect(fit(flow, new Float32Array(4), { learningRate: -1 })).rejects.toThrow(/fit: learningRate/);
    await expect(fit(flow, new Float32Array(4), { validation: 2 })).rejects.toThrow(/fit: validation/);
    await expect(fit(flow, new Float32Array(4), { context: new Float32Array(2) })).rejects.toThrow(ShapeError);
  });

  test('memory is as before', async () => {
    const { x } = correlated(300, 8);
    const flow = await maf(held.gpu, { dim: 2, layers: 1, hidden: [8], seed: 1 });
    await fit(flow, x, { steps: 5 });
    const { bytes } = held.gpu.memory.usage;
    for (let i = 0; i < 3; i++) await fit(flow, x, { steps: 5 });
    expect(held.gpu.memory.usage.bytes).toBe(bytes);
  });
});
