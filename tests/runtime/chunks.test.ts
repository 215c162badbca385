// The same bits however a batch is split: by the count asked for, by an upper bound of the rows, or by the device's limits.

import { beforeAll, describe, expect, test } from 'vitest';
import { type Flow, ffjord, Gpu, iaf, LimitError, maf, realNVP } from '../../src/index.js';
import { download, expectSameBits, limited, numbered, submitted, upload } from '../support/buffers.js';
import { expectError } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';

const context = useGpu();
let device: GPUDevice;
beforeAll(() => {
  device = context.gpu.device;
});

const builders: Record<string, (gpu: Gpu, contextDim?: number) => Promise<Flow>> = {
  maf: (gpu, contextDim = 0) => maf(gpu, { dim: 3, layers: 2, hidden: [16], contextDim, seed: 1 }),
  iaf: (gpu, contextDim = 0) => iaf(gpu, { dim: 3, layers: 2, hidden: [16], contextDim, seed: 1 }),
  realNVP: (gpu, contextDim = 0) => realNVP(gpu, { dim: 3, layers: 2, hidden: [16], contextDim, seed: 1 }),
  // Its noise is counted by row, as the draws are.
  'ffjord, estimated': (gpu, contextDim = 0) =>
    ffjord(gpu, { dim: 3, hidden: [8], contextDim, divergence: { estimator: 'gaussian' }, solver: { method: 'rk4', steps: 1 }, seed: 1 }),
};

test.each(Object.keys(builders))('%s: a short draw is the beginning of a long one', async (name) => {
  const flow = await builders[name]!(context.gpu);
  const long = await flow.sample(2500, { seed: 11 });
  for (const count of [1, 3, 64, 65, 1000]) expectSameBits(await flow.sample(count, { seed: 11 }), long.slice(0, count * 3), `${count}`);
  expect(await flow.sample(10, { seed: 12 })).not.toEqual(long.slice(0, 30));
  const both = await flow.sampleWithLogProb(1000, { seed: 11 });
  expectSameBits(both.x, long.slice(0, 3000), 'sampleWithLogProb');
  flow.dispose();
});

test('without a seed each draw differs', async () => {
  const flow = await builders.maf!(context.gpu);
  const [a, b] = await Promise.all([flow.sample(4), flow.sample(4)]);
  expect(a).not.toEqual(b);
  flow.dispose();
});

/** What every method gives, by a name for errors. */
async function everything(flow: Flow, rows: number, contexts: Record<string, Float32Array<ArrayBuffer> | undefined>) {
  const results: Record<string, Float32Array> = {};
  const device = context.gpu.device;
  const x = numbered(rows * flow.dim, 1.5);
  await flow.prepare({ count: rows });
  for (const [name, given] of Object.entries(contexts)) {
    const options = given ? { context: given } : {};
    const forward = await flow.forward(x, options);
    const inverse = await flow.inverse(x, options);
    results[`${name}: z`] = forward.z;
    results[`${name}: forward log-det`] = forward.logDet;
    results[`${name}: x`] = inverse.x;
    results[`${name}: inverse log-det`] = inverse.logDet;
    results[`${name}: log-density`] = await flow.logProb(x, options);
    results[`${name}: sample`] = await flow.sample(rows, { seed: 21, ...options });
    results[`${name}: density of the sample`] = (await flow.sampleWithLogProb(rows, { seed: 21, ...options })).logProb;
    const buffers = given ? { context: upload(device, given) } : {};
    const [drawn, density] = submitted(device, (encoder) => [
      flow.encodeSample(encoder, { count: rows, seed: 21, ...buffers }),
      flow.encodeLogProb(encoder, upload(device, x), { count: rows, ...buffers }),
    ]);
    results[`${name}: encoded sample`] = await download(device, drawn!);
    results[`${name}: encoded log-density`] = await download(device, density!);
    expectSameBits(results[`${name}: encoded sample`]!, results[`${name}: sample`]!, 'encoded sample');
    expectSameBits(results[`${name}: encoded log-density`]!, results[`${name}: log-density`]!, 'encoded log-density');
  }
  return results;
}

describe.each(Object.keys(builders))('%s in chunks', (name) => {
  const ROWS = 333;
  const contexts = { 'a context row each': numbered(ROWS * 2), 'one context row': Float32Array.of(0.3, -0.8) };

  test.each([
    ['no context', 0, { 'no context': undefined }],
    ['a context', 2, contexts],
  ] as const)('%s', async (_, contextDim, given) => {
    const whole = await builders[name]!(context.gpu, contextDim);
    const expected = await everything(whole, ROWS, given);
    whole.dispose();
    for (const maxRowsPerChunk of [64, 128, 200]) {
      const gpu = Gpu.from(device, { maxRowsPerChunk });
      const flow = await builders[name]!(gpu, contextDim);
      const got = await everything(flow, ROWS, given);
      for (const [key, value] of Object.entries(expected)) expectSameBits(got[key]!, value, `${key} in chunks of ${maxRowsPerChunk}`);
      gpu.dispose();
    }
  });
});

describe('limits of the device', () => {
  test('no binding passes maxStorageBufferBindingSize', async () => {
    const limit = 16384;
    let largest = 0;
    let chunksSeen = 0;
    const fake = limited(device, { maxStorageBufferBindingSize: limit }, ({ entries }) => {
      for (const { resource } of entries) {
        const { buffer, offset = 0, size = buffer.size - offset } = resource as GPUBufferBinding;
        largest = Math.max(largest, size);
        if (offset > 0 && buffer.size > limit) chunksSeen++;
      }
    });
    const gpu = Gpu.from(fake);
    const flow = await builders.maf!(gpu, 2);
    const rows = 3000; // 36 000 bytes of x, 24 000 of context
    const given = { each: numbered(rows * 2), one: Float32Array.of(0.3, -0.8) };
    const got = await everything(flow, rows, given);
    expect(largest).toBeLessThanOrEqual(limit);
    expect(chunksSeen).toBeGreaterThan(0);
    gpu.dispose();
    const whole = await builders.maf!(context.gpu, 2);
    const expected = await everything(whole, rows, given);
    for (const [key, value] of Object.entries(expected)) expectSameBits(got[key]!, value, key);
    whole.dispose();
  });

  test('no dispatch passes maxComputeWorkgroupsPerDimension', async () => {
    const gpu = Gpu.from(limited(device, { maxComputeWorkgroupsPerDimension: 4 }));
    const flow = await builders.maf!(gpu);
    const whole = await builders.maf!(context.gpu);
    expectSameBits(await flow.sample(1000, { seed: 2 }), await whole.sample(1000, { seed: 2 }));
    gpu.dispose();
    whole.dispose();
  });

  test('a layer too wide for one binding', async () => {
    const gpu = Gpu.from(limited(device, { maxStorageBufferBindingSize: 4092 }));
    const flow = await realNVP(gpu, { dim: 3, layers: 1, hidden: [16] });
    await expectError(
      () => flow.sample(1),
      LimitError,
      'E_LIMIT',
      'flow/base/standard-normal.sample needs 4096 bytes in one binding for 64 rows of its widest layer (16 features); ' +
        'got a device with maxStorageBufferBindingSize 4092; request one with a larger limit',
    );
    gpu.dispose();
  });

  test('weights too large for one binding leave nothing behind', async () => {
    const limit = 40_000;
    const gpu = Gpu.from(limited(device, { maxStorageBufferBindingSize: limit }));
    const flow = await realNVP(gpu, { dim: 2, layers: 1, hidden: [120, 120] });
    const sentence = `weight 1 needs at most ${limit} bytes (maxStorageBufferBindingSize); got ${120 * 120 * 4}`;
    await expectError(() => flow.sample(1), LimitError, 'E_LIMIT', sentence);
    const { usage } = gpu.memory;
    await expectError(() => flow.sample(1), LimitError, 'E_LIMIT', sentence);
    expect(gpu.memory.usage, 'after a second attempt').toEqual(usage);
    flow.dispose();
    expect(gpu.memory.usage).toEqual({ buffers: 0, bytes: 0 });
    gpu.dispose();
  });

  test('too many workgroups across the features', async () => {
    const gpu = Gpu.from(limited(device, { maxComputeWorkgroupsPerDimension: 2 }));
    const flow = await realNVP(gpu, { dim: 2, layers: 1, hidden: [100] });
    await expectError(
      () => flow.sample(1),
      LimitError,
      'E_LIMIT',
      'flow/coupling[0]/masked-linear needs 4 workgroups along axis 1; got a device that allows 2',
    );
    gpu.dispose();
  });

  test('a buffer beyond maxBufferSize', async () => {
    const flow = await builders.maf!(context.gpu);
    await flow.prepare({ count: 64 });
    const { maxBufferSize } = device.limits;
    const count = maxBufferSize / 4;
    await expectError(
      () => flow.encodeSample(device.createCommandEncoder(), { count, seed: 0 }),
      LimitError,
      'E_LIMIT',
      `encodeSample: count needs a result of at most ${maxBufferSize} bytes (maxBufferSize); got ${count * 12}`,
    );
    flow.dispose();
  });
});
