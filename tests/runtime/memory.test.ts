// What the library holds on the device: flat over any number of calls, nothing left after dispose.

import { describe, expect, test } from 'vitest';
import { DisposedError, type Flow, Gpu, maf, StateError } from '../../src/index.js';
import { download, expectSameBits, numbered, submitted, upload } from '../support/buffers.js';
import { expectError, thrown } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';

const context = useGpu();
const tiny = (gpu: Gpu, contextDim = 0): Promise<Flow> => maf(gpu, { dim: 2, layers: 1, hidden: [4], contextDim, seed: 1 });

describe('use', () => {
  test('ten thousand draws leave it flat', async () => {
    const { gpu } = context;
    const flow = await tiny(gpu);
    const expected = await flow.sample(8, { seed: 1 });
    const inFlight = 16;
    const round = (first: number) =>
      Promise.all(Array.from({ length: inFlight }, (_, i) => flow.sample(1 + ((first + i) % 8), { seed: 1 })));
    await round(0);
    const { buffers, bytes } = gpu.memory.usage;
    for (let done = 0; done < 9_600; done += inFlight)
      for (const [i, x] of (await round(done)).entries()) expectSameBits(x, expected.slice(0, 2 * (1 + ((done + i) % 8))));
    for (let done = 0; done < 400; done++) await flow.sample(1 + (done % 8));
    expect(gpu.memory.usage).toEqual({ buffers, bytes });
    flow.dispose();
  });

  test('every method, with and without context, leaves it flat', async () => {
    const gpu = Gpu.from(context.gpu.device);
    const flow = await tiny(gpu, 2);
    const x = numbered(20);
    const round = async () => {
      for (const given of [numbered(20), numbered(2)]) {
        await flow.forward(x, { context: given });
        await flow.inverse(x, { context: given });
        await flow.logProb(x, { context: given });
        await flow.sample(10, { context: given });
        await flow.sampleWithLogProb(10, { context: given });
      }
      await flow.profile('sample', { count: 10 });
      await flow.prepare({ count: 10 });
      const buffer = upload(gpu.device, numbered(20));
      submitted(gpu.device, (encoder) => flow.encodeSample(encoder, { count: 10, seed: 1, context: buffer })).destroy();
      await thrown(() => flow.sample(3, { context: numbered(5) }));
    };
    await round();
    const { usage } = gpu.memory;
    for (let i = 0; i < 5; i++) await round();
    expect(gpu.memory.usage).toEqual(usage);
    gpu.dispose();
  });
});

describe('dispose', () => {
  test('of a flow leaves what the Gpu itself holds', async () => {
    const gpu = Gpu.from(context.gpu.device);
    expect(gpu.memory.usage).toEqual({ buffers: 0, bytes: 0 });
    const warm = await tiny(gpu);
    await warm.sample(10);
    await warm.logProb(numbered(20));
    warm.dispose();
    const { usage } = gpu.memory;
    const flow = await tiny(gpu);
    expect(gpu.memory.usage, 'a flow that nobody used').toEqual(usage);
    await flow.sample(10);
    await flow.logProb(numbered(20));
    expect(gpu.memory.usage.buffers).toBeGreaterThan(usage.buffers);
    flow.dispose();
    expect(gpu.memory.usage).toEqual(usage);
    flow.dispose();
    flow[Symbol.dispose]();
    expect(gpu.memory.usage).toEqual(usage);
    gpu.dispose();
    expect(gpu.memory.usage).toEqual({ buffers: 0, bytes: 0 });
    gpu.dispose();
    gpu[Symbol.dispose]();
  });

  test('a `using` declaration disposes of both', async () => {
    let held: Gpu;
    let flow: Flow;
    {
      using gpu = Gpu.from(context.gpu.device);
      using inner = await tiny(gpu);
      await inner.sample(2);
      held = gpu;
      flow = inner;
    }
    expect(held.memory.usage.buffers).toBe(0);
    await expectError(() => flow.sample(2), DisposedError, 'E_DISPOSED', /disposed/);
  });

  test('of one flow leaves another on the same Gpu alone', async () => {
    const { gpu } = context;
    const [a, b] = [await tiny(gpu), await tiny(gpu)];
    const expected = await a.sample(50, { seed: 3 });
    expectSameBits(await b.sample(50, { seed: 3 }), expected);
    const pending = b.sample(50, { seed: 3 });
    a.dispose();
    expectSameBits(await pending, expected);
    expectSameBits(await b.sample(50, { seed: 3 }), expected);
    b.dispose();
  });

  test('of an adopting Gpu leaves the device and other Gpus usable', async () => {
    const { device } = context.gpu;
    const gpu = Gpu.from(device);
    await (await tiny(gpu)).sample(4);
    gpu.dispose();
    expect(await download(device, upload(device, numbered(4)))).toEqual(numbered(4));
    const flow = await tiny(context.gpu);
    expect(await flow.sample(4)).toHaveLength(8);
    flow.dispose();
  });

  test('of a Gpu that made its device destroys it', async () => {
    const gpu = await Gpu.request();
    const flow = await tiny(gpu);
    await flow.sample(4);
    gpu.dispose();
    expect((await gpu.device.lost).reason).toBe('destroyed');
    await expectError(() => flow.sample(4), DisposedError, 'E_DISPOSED', 'this Gpu was disposed; request another one');
    await expectError(() => tiny(gpu), DisposedError, 'E_DISPOSED', 'this Gpu was disposed; request another one');
    flow.dispose();
  });
});

describe('dispose while a call is pending', () => {
  /** The outcome of the call: its result is right, or its error says that the flow is gone. */
  const settled = async (pending: Promise<Float32Array>, expected: Float32Array) => {
    try {
      expectSameBits(await pending, expected);
      return 'result';
    } catch (error) {
      expect(error).toBeInstanceOf(DisposedError);
      return (error as Error).message;
    }
  };

  test('of the flow, while it compiles', async () => {
    const gpu = Gpu.from(context.gpu.device);
    const flow = await tiny(gpu);
    const pending = flow.sample(10, { seed: 1 });
    const preparing = flow.prepare({ count: 10 });
    flow.dispose();
    await expectError(() => pending, DisposedError, 'E_DISPOSED', 'this flow was disposed while it compiled');
    await expectError(() => preparing, DisposedError, 'E_DISPOSED', 'this flow was disposed while it compiled');
    expect(gpu.memory.usage).toEqual({ buffers: 0, bytes: 0 });
    gpu.dispose();
  });

  test('of the flow, after it compiled: the result still comes', async () => {
    const { gpu } = context;
    const flow = await tiny(gpu);
    const expected = await flow.sample(10, { seed: 1 });
    const pending = [1, 2, 3].map(() => flow.sample(10, { seed: 1 }));
    flow.dispose();
    for (const one of pending) expect(await settled(one, expected)).toBe('result');
  });

  test.each([0, 1, 2, 5])('of the flow, %i turns of the event loop later', async (turns) => {
    const { gpu } = context;
    const flow = await tiny(gpu);
    const expected = await (await tiny(gpu)).sample(10, { seed: 1 });
    const pending = settled(flow.sample(10, { seed: 1 }), expected);
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setTimeout(resolve));
    flow.dispose();
    await pending;
  });

  test('of the Gpu', async () => {
    const gpu = Gpu.from(context.gpu.device);
    const flow = await tiny(gpu);
    await flow.sample(10);
    const pending = [flow.sample(10), flow.prepare({ count: 5 })];
    gpu.dispose();
    await expectError(() => pending[0], DisposedError, 'E_DISPOSED', 'this Gpu was disposed; request another one');
    await expectError(() => pending[1], DisposedError, 'E_DISPOSED', 'this Gpu was disposed; request another one');
    expect(gpu.memory.usage).toEqual({ buffers: 0, bytes: 0 });
  });
});

describe('a device without memory', () => {
  /** Buffers with this label fail, as createBuffer does where memory is out: late, and with an invalid buffer. */
  const failing = (device: GPUDevice, label: string) => {
    const original = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => original(descriptor.label?.startsWith(label) ? { ...descriptor, usage: 0 } : descriptor);
    return () => {
      Reflect.deleteProperty(device, 'createBuffer');
    };
  };

  test.each(['scratch', 'pooled'])('fails the call, and not the next one (%s)', async (label) => {
    const gpu = Gpu.from(context.gpu.device);
    const flow = await tiny(gpu);
    const expected = await flow.sample(1000, { seed: 1 });
    const fresh = Gpu.from(gpu.device);
    const other = await tiny(fresh);
    await other.sample(10);
    const restore = failing(gpu.device, label);
    try {
      await expectError(() => other.sample(1000, { seed: 1 }), StateError, 'E_STATE', /^sample: the device refused this: /);
    } finally {
      restore();
    }
    expectSameBits(await other.sample(1000, { seed: 1 }), expected);
    gpu.dispose();
    fresh.dispose();
  });

  test('fails prepare, and a smaller one goes through', async () => {
    const gpu = Gpu.from(context.gpu.device);
    const flow = await tiny(gpu);
    const restore = failing(gpu.device, 'scratch');
    try {
      await expectError(() => flow.prepare({ count: 1000 }), StateError, 'E_STATE', /^prepare for 1000 rows: the device refused this: /);
    } finally {
      restore();
    }
    await flow.prepare({ count: 10 });
    const x = submitted(gpu.device, (encoder) => flow.encodeSample(encoder, { count: 10, seed: 1 }));
    expectSameBits(await download(gpu.device, x), await flow.sample(10, { seed: 1 }));
    gpu.dispose();
  });
});
