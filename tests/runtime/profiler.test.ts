// The time of each kernel, by timestamps where the device has them and by the clock where it has not.

import { describe, expect, test } from 'vitest';
import { GpuFlow } from '../../src/flows/flow.js';
import { Gpu, maf, type Profile } from '../../src/index.js';
import { expectSameBits } from '../support/buffers.js';
import { useGpu } from '../support/gpu.js';

const context = useGpu();

async function check(gpu: Gpu, method: Profile['method'], contextDim: number): Promise<void> {
  const flow = await maf(gpu, { dim: 4, layers: 3, hidden: [32, 32], contextDim, seed: 1 });
  if (!(flow instanceof GpuFlow)) throw new Error('a recipe builds a GpuFlow');
  const given = contextDim > 0 ? { context: new Float32Array(contextDim) } : {};
  const before = await flow.sample(100, { seed: 1, ...given });
  for (const task of ['sample', 'logProb'] as const) {
    const profile = await flow.profile(task, { count: 2000 });
    expect(profile.method).toBe(method);
    // What runs: on some adapters fewer commands than were recorded.
    const { program } = [...gpu.owners].at(-1)!.ready(task)!;
    expect(profile.commands.map(({ label }) => label)).toEqual(program.commands.map(({ label }) => label));
    for (const { milliseconds } of profile.commands) expect(milliseconds).toBeGreaterThanOrEqual(0);
    const sum = profile.commands.reduce((total, { milliseconds }) => total + milliseconds, 0);
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(60_000);
  }
  expectSameBits(await flow.sample(100, { seed: 1, ...given }), before, 'a draw after profiling');
  flow.dispose();
}

describe.each([0, 2])('with a context of %i', (contextDim) => {
  test('timestamps', async () => {
    expect(context.gpu.device.features.has('timestamp-query')).toBe(true);
    await check(context.gpu, 'timestamp-query', contextDim);
  });

  test('the clock', async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    const errors: string[] = [];
    device.addEventListener('uncapturederror', (event) => errors.push((event as GPUUncapturedErrorEvent).error.message));
    const gpu = Gpu.from(device);
    await check(gpu, 'wall-clock', contextDim);
    gpu.dispose();
    await device.queue.onSubmittedWorkDone();
    expect(errors).toEqual([]);
    device.destroy();
  });
});

test('more rows than one chunk holds are profiled as one chunk', async () => {
  const gpu = Gpu.from(context.gpu.device, { maxRowsPerChunk: 64 });
  const flow = await maf(gpu, { dim: 2, layers: 1, hidden: [8], seed: 1 });
  expect((await flow.profile('sample', { count: 1000 })).commands.length).toBeGreaterThan(0);
  gpu.dispose();
});
