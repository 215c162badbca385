// Reading results: any number in flight, awaited in any order.

import { describe, expect, test } from 'vitest';
import { Gpu, maf, StateError } from '../../src/index.js';
import { empty, expectSameBits, numbered, upload } from '../support/buffers.js';
import { expectError } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';

const context = useGpu();

describe('reads in flight', () => {
  const lengths = [3, 100, 256, 257, 5000, 1, 256, 300];
  const orders: Record<string, (count: number) => number[]> = {
    'the order of the copies': (count) => Array.from({ length: count }, (_, i) => i),
    'the reverse': (count) => Array.from({ length: count }, (_, i) => count - 1 - i),
    'another order': (count) => Array.from({ length: count }, (_, i) => (i * 3 + 1) % count),
  };

  test.each(Object.keys(orders))('awaited in %s', async (name) => {
    const { device, readback } = context.gpu;
    const tickets = lengths.map((length, i) => {
      const data = numbered(length, i + 1);
      const source = upload(device, data);
      const encoder = device.createCommandEncoder();
      const ticket = readback.copy(encoder, source, length);
      device.queue.submit([encoder.finish()]);
      source.destroy();
      return { ticket, data };
    });
    for (const i of orders[name]!(lengths.length)) expectSameBits(await tickets[i]!.ticket.read(), tickets[i]!.data);
  });

  test('all at once, from one encoder, and again with the same staging buffers', async () => {
    const { device, readback, memory } = context.gpu;
    const round = async (scale: number) => {
      const encoder = device.createCommandEncoder();
      const sources = lengths.map((length, i) => numbered(length, scale + i));
      const tickets = sources.map((data) => readback.copy(encoder, upload(device, data), data.length));
      device.queue.submit([encoder.finish()]);
      for (const [i, data] of (await Promise.all(tickets.map((ticket) => ticket.read()))).entries()) expectSameBits(data, sources[i]!);
    };
    await round(1);
    const { usage } = memory;
    await round(20);
    await round(40);
    expect(memory.usage).toEqual(usage);
  });

  test('of different methods of a flow', async () => {
    const flow = await maf(context.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });
    const x = numbered(600);
    const [z, log, drawn] = [await flow.forward(x), await flow.logProb(x), await flow.sample(300, { seed: 1 })];
    const results = await Promise.all([
      flow.sample(300, { seed: 1 }),
      flow.logProb(x),
      flow.forward(x),
      flow.sample(300, { seed: 2 }),
      flow.logProb(x.subarray(0, 20)),
      flow.sample(300, { seed: 1 }),
    ]);
    expectSameBits(results[0], drawn);
    expectSameBits(results[1], log);
    expectSameBits(results[2].z, z.z);
    expectSameBits(results[2].logDet, z.logDet);
    expect(results[3]).not.toEqual(drawn);
    expectSameBits(results[4], log.slice(0, 10));
    expectSameBits(results[5], drawn);
    flow.dispose();
  });
});

test('a read that fails on a healthy device says so and keeps nothing', async () => {
  const gpu = Gpu.from(context.gpu.device);
  const encoder = gpu.device.createCommandEncoder();
  const source = empty(gpu.device, 16);
  const ticket = gpu.readback.copy(encoder, source, 4);
  gpu.device.queue.submit([encoder.finish()]);
  const first = ticket.read();
  // The staging buffer is mapped by the first read, so a second is refused.
  await expectError(() => ticket.read(), StateError, 'E_STATE', 'readback of 16 bytes failed');
  await first.catch(() => null);
  expect(gpu.memory.usage).toEqual({ buffers: 0, bytes: 0 });
  gpu.dispose();
});
