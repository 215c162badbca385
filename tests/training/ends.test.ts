// Training that does not come to its end: what is thrown, and what is left.

import { describe, expect, test } from 'vitest';
import { DeviceLostError, DisposedError, type Flow, fit, Gpu, realNVP } from '../../src/index.js';
import { useGpu } from '../support/gpu.js';
import { Random } from '../support/random.js';

const held = useGpu({ ruled: false });
const x = new Random(1).normals(2 * 400).map((value) => 3 + 2 * value);
const options = { steps: 100_000, batch: 64, learningRate: 1e-2, schedule: 'constant', validation: 0.2, validateEvery: 5 } as const;

const flat = async (flow: Flow) => Object.values(await flow.parameters()).flatMap(({ data }) => [...data]);

/** An own device, which the test takes away. */
async function fresh(): Promise<{ gpu: Gpu; flow: Flow }> {
  const adapter = await navigator.gpu.requestAdapter();
  const gpu = Gpu.from(await adapter!.requestDevice());
  return { gpu, flow: await realNVP(gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 }) };
}

describe('in the middle of training', () => {
  test('a lost device is an error, and the best parameters are left to read and to save', async () => {
    const { gpu, flow } = await fresh();
    const before = await flat(flow);
    const training = fit(flow, x, { ...options, onProgress: ({ step }) => step > 20 && gpu.device.destroy() });
    await expect(training).rejects.toThrow(DeviceLostError);
    const after = await flat(flow);
    expect(after.every(Number.isFinite)).toBe(true);
    expect(after).not.toEqual(before);
    expect((await flow.save()).length).toBeGreaterThan(100);
    await expect(flow.sample(1)).rejects.toThrow(DeviceLostError);
    flow.dispose();
    gpu.dispose();
    expect(gpu.memory.usage.buffers).toBe(0);
  });

  test('a disposed Gpu is an error, and the best parameters are left', async () => {
    const { gpu, flow } = await fresh();
    const before = await flat(flow);
    await expect(fit(flow, x, { ...options, onProgress: ({ step }) => step > 20 && gpu.dispose() })).rejects.toThrow(DisposedError);
    expect(await flat(flow)).not.toEqual(before);
    expect(gpu.memory.usage.buffers).toBe(0);
  });

  test('a disposed flow is an error soon, and frees what training held', async () => {
    const flow = await realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });
    await fit(await realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 }), x, { ...options, steps: 30 });
    const { bytes } = held.gpu.memory.usage;
    let last = 0;
    const training = fit(flow, x, {
      ...options,
      onProgress: ({ step }) => {
        last = step;
        if (step > 20) flow.dispose();
      },
    });
    await expect(training).rejects.toThrow(DisposedError);
    expect(last).toBeLessThan(2000);
    expect(held.gpu.memory.usage.bytes).toBeLessThanOrEqual(bytes);
    await expect(flow.parameters()).rejects.toThrow(DisposedError);
  });

  test('an error of onProgress ends it, and the flow stays as it was', async () => {
    const flow = await realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });
    const before = await flat(flow);
    const mine = new Error('mine');
    const training = fit(flow, x, {
      ...options,
      onProgress: () => {
        throw mine;
      },
    });
    await expect(training).rejects.toBe(mine);
    expect(await flat(flow)).toEqual(before);
    expect((await flow.sample(3)).every(Number.isFinite)).toBe(true);
  });

  test('memory stays level while it goes on', async () => {
    const flow = await realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });
    const seen = new Set<number>();
    await fit(flow, x, {
      ...options,
      steps: 400,
      onProgress: ({ step }) => step > 100 && seen.add(held.gpu.memory.usage.bytes),
    });
    expect(seen.size).toBe(1);
  });
});
