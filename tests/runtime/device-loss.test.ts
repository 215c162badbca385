// A device that goes away: every call, pending or later, says so, and none hangs.

import { describe, expect, test } from 'vitest';
import { DeviceLostError, type Flow, Gpu, maf, ShapeError, ValueError } from '../../src/index.js';
import { numbered } from '../support/buffers.js';
import { expectError, thrown } from '../support/errors.js';

const SENTENCE = /^the GPU device was lost \(destroyed: .*\); request another one and load the flow again$/;

async function ownDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  device.addEventListener('uncapturederror', (event) => console.error((event as GPUUncapturedErrorEvent).error.message));
  return device;
}
const tiny = (gpu: Gpu): Promise<Flow> => maf(gpu, { dim: 2, layers: 1, hidden: [4], seed: 1 });
const lost = (body: () => unknown) => expectError(body, DeviceLostError, 'E_DEVICE_LOST', SENTENCE);

describe('in the middle of', () => {
  test('a call that compiles', async () => {
    const gpu = Gpu.from(await ownDevice());
    const flow = await tiny(gpu);
    const pending = [flow.sample(100), flow.logProb(numbered(20)), flow.prepare({ count: 10 })].map(rejection);
    gpu.device.destroy();
    for (const error of await Promise.all(pending)) await lost(() => Promise.reject(error));
    flow.dispose();
    gpu.dispose();
    expect(gpu.memory.usage.buffers).toBe(0);
  });

  test('a call under way on the GPU', async () => {
    const gpu = Gpu.from(await ownDevice());
    const flow = await tiny(gpu);
    await flow.sampleWithLogProb(10);
    const pending = [flow.sampleWithLogProb(20_000), flow.sampleWithLogProb(10)].map(rejection);
    gpu.device.destroy();
    for (const error of await Promise.all(pending)) await lost(() => Promise.reject(error));
    gpu.dispose();
  });

  test('a profile, by either method', async () => {
    for (const gpu of [await Gpu.request(), Gpu.from(await ownDevice())]) {
      const flow = await tiny(gpu);
      await flow.profile('sample', { count: 10 });
      const { buffers } = gpu.memory.usage;
      const pending = rejection(flow.profile('sample', { count: 1000 }));
      gpu.device.destroy();
      const error = await pending;
      await lost(() => Promise.reject(error));
      expect(gpu.memory.usage.buffers).toBeLessThan(buffers + 6); // larger scratch, and no timestamps left behind
      gpu.dispose();
    }
  });
});

/** A promise's error, awaited from the start so that no rejection goes unhandled. */
function rejection(promise: Promise<unknown>): Promise<unknown> {
  return thrown(() => promise);
}

test('before the news of it came', async () => {
  const gpu = Gpu.from(await ownDevice());
  const flow = await tiny(gpu);
  await flow.sample(10);
  gpu.device.destroy();
  await lost(() => flow.sample(10));
  gpu.dispose();
});

test('every later call', async () => {
  const gpu = Gpu.from(await ownDevice());
  const flow = await tiny(gpu);
  await flow.prepare({ count: 4 });
  gpu.device.destroy();
  await gpu.device.lost;
  const encoder = gpu.device.createCommandEncoder();
  const buffer = gpu.device.createBuffer({ size: 64, usage: GPUBufferUsage.STORAGE });
  const x = numbered(8);
  const calls: (() => unknown)[] = [
    () => flow.forward(x),
    () => flow.inverse(x),
    () => flow.logProb(x),
    () => flow.sample(4),
    () => flow.sampleWithLogProb(4),
    () => flow.prepare({ count: 4 }),
    () => flow.encodeSample(encoder, { count: 4, seed: 1 }),
    () => flow.encodeLogProb(encoder, buffer, { count: 4 }),
    () => flow.profile('sample', { count: 4 }),
    () => tiny(gpu),
  ];
  for (const call of calls) await lost(call);
  // What is on the host is not lost.
  expect(Object.values(await flow.parameters()).length).toBeGreaterThan(0);
  expect((await flow.save()).length).toBeGreaterThan(0);
  // A wrong argument is still the first thing to hear of.
  await expectError(() => flow.logProb(numbered(3)), ShapeError, 'E_SHAPE', /multiple of 2/);
  flow.dispose();
  gpu.dispose();
  expect(gpu.memory.usage).toEqual({ buffers: 0, bytes: 0 });
});

test('a Gpu must be one', async () => {
  const device = await ownDevice();
  const sentence = 'flow: gpu needs a Gpu, from Gpu.request() or Gpu.from(device); got GPUDevice';
  await expectError(() => tiny(device as unknown as Gpu), ValueError, 'E_VALUE', sentence);
  for (const maxRowsPerChunk of [0, -1, Number.NaN])
    await expectError(
      () => Gpu.from(device, { maxRowsPerChunk }),
      ValueError,
      'E_VALUE',
      `Gpu.from: maxRowsPerChunk needs a positive number; got ${maxRowsPerChunk}`,
    );
  device.destroy();
});
