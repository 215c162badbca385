// encodeSample and encodeLogProb, recorded into encoders and buffers of the caller.

import { beforeAll, describe, expect, test } from 'vitest';
import { type Flow, maf } from '../../src/index.js';
import { download, empty, expectSameBits, numbered, submitted, upload } from '../support/buffers.js';
import { useGpu } from '../support/gpu.js';

const context = useGpu();
const COUNT = 150; // two whole tiles and a rest that is no multiple of four
let device: GPUDevice;
let flow: Flow;
let conditional: Flow;

beforeAll(async () => {
  device = context.gpu.device;
  flow = await maf(context.gpu, { dim: 3, layers: 2, hidden: [16], seed: 1 });
  conditional = await maf(context.gpu, { dim: 3, layers: 2, hidden: [16], contextDim: 2, seed: 2 });
  await Promise.all([flow.prepare({ count: COUNT }), conditional.prepare({ count: COUNT })]);
});

/** Doubles a buffer in a pass of the caller's own. */
function doubling(): (encoder: GPUCommandEncoder, buffer: GPUBuffer) => void {
  const code = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) i: vec3u) {
      if (i.x < arrayLength(&x)) { x[i.x] *= 2.0; }
    }`;
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } });
  return (encoder, buffer) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer } }] }),
    );
    pass.dispatchWorkgroups(Math.ceil(buffer.size / 256));
    pass.end();
  };
}

describe('two calls in one encoder', () => {
  test('encodeSample with two seeds gives what two calls give', async () => {
    const seeds = [7, 2 ** 40 + 9]; // one beyond 32 bits
    const together = submitted(device, (encoder) => seeds.map((seed) => flow.encodeSample(encoder, { count: COUNT, seed })));
    const apart = await Promise.all(seeds.map((seed) => flow.sample(COUNT, { seed })));
    const [first, second] = await Promise.all(together.map((buffer) => download(device, buffer)));
    expectSameBits(first!, apart[0]!, 'seed 7');
    expectSameBits(second!, apart[1]!, 'seed 2^40 + 9');
    expect(first).not.toEqual(second);
  });

  test('encodeSample with two counts keeps both counts', async () => {
    const [long, short] = submitted(device, (encoder) => [
      flow.encodeSample(encoder, { count: COUNT, seed: 3 }),
      flow.encodeSample(encoder, { count: 5, seed: 3 }),
    ]);
    const rows = await download(device, long!);
    expectSameBits(rows, await flow.sample(COUNT, { seed: 3 }));
    expectSameBits(await download(device, short!), rows.slice(0, 15));
  });

  test('encodeLogProb on two buffers gives what two calls give', async () => {
    const inputs = [numbered(COUNT * 3), numbered(COUNT * 3, 2)];
    const buffers = inputs.map((x) => upload(device, x));
    const results = submitted(device, (encoder) => buffers.map((x) => flow.encodeLogProb(encoder, x, { count: COUNT })));
    for (const [i, result] of results.entries()) expectSameBits(await download(device, result), await flow.logProb(inputs[i]!));
  });

  test('contexts of one row and of a row each keep their own stride', async () => {
    const one = Float32Array.of(0.5, -1);
    const each = numbered(COUNT * 2);
    const [a, b] = submitted(device, (encoder) => [
      conditional.encodeSample(encoder, { count: COUNT, seed: 4, context: upload(device, one) }),
      conditional.encodeSample(encoder, { count: COUNT, seed: 4, context: upload(device, each) }),
    ]);
    expectSameBits(await download(device, a!), await conditional.sample(COUNT, { seed: 4, context: one }), 'one context row');
    expectSameBits(await download(device, b!), await conditional.sample(COUNT, { seed: 4, context: each }), 'a context row each');
  });

  test('a draw and its density, chained on the GPU', async () => {
    const { x, logProb } = submitted(device, (encoder) => {
      const x = flow.encodeSample(encoder, { count: COUNT, seed: 5 });
      return { x, logProb: flow.encodeLogProb(encoder, x, { count: COUNT }) };
    });
    expectSameBits(await download(device, logProb), await flow.logProb(await download(device, x)));
  });
});

describe('buffers', () => {
  test('into is returned and filled, and what lies beyond the count stays', async () => {
    const sentinel = new Float32Array(COUNT * 3 + 21).fill(-77);
    const into = upload(device, sentinel);
    const logInto = upload(device, sentinel.slice(0, COUNT + 3));
    submitted(device, (encoder) => {
      expect(flow.encodeSample(encoder, { count: COUNT, seed: 6, into })).toBe(into);
      expect(flow.encodeLogProb(encoder, into, { count: COUNT, into: logInto })).toBe(logInto);
    });
    const x = await flow.sample(COUNT, { seed: 6 });
    const got = await download(device, into);
    expectSameBits(got.slice(0, COUNT * 3), x);
    expect([...got.slice(COUNT * 3)]).toEqual(new Array(21).fill(-77));
    const log = await download(device, logInto);
    expectSameBits(log.slice(0, COUNT), await flow.logProb(x));
    expect([...log.slice(COUNT)]).toEqual([-77, -77, -77]);
  });

  test.each([1, 2, 3, 4, 63, 64, 65])('%i rows leave row %i alone', async (count) => {
    const into = upload(device, new Float32Array(70 * 3).fill(-77));
    submitted(device, (encoder) => flow.encodeSample(encoder, { count, seed: 6, into }));
    const got = await download(device, into);
    expectSameBits(got.slice(0, count * 3), await flow.sample(count, { seed: 6 }));
    expect(got.slice(count * 3).every((value) => value === -77)).toBe(true);
  });

  test('a buffer of an odd number of bytes serves', async () => {
    const into = empty(device, COUNT * 12 + 3);
    submitted(device, (encoder) => flow.encodeSample(encoder, { count: COUNT, seed: 6, into }));
    expectSameBits(await download(device, into, COUNT * 3), await flow.sample(COUNT, { seed: 6 }));
  });

  test('the density may overwrite what it read', async () => {
    const x = numbered(COUNT * 3);
    const buffer = upload(device, x);
    submitted(device, (encoder) => flow.encodeLogProb(encoder, buffer, { count: COUNT, into: buffer }));
    expectSameBits(await download(device, buffer, COUNT), await flow.logProb(x));
  });

  test('the returned buffer outlives the flow, for every use that the documentation names', async () => {
    const own = await maf(context.gpu, { dim: 2, layers: 1, hidden: [8], seed: 3 });
    await own.prepare({ count: 10 });
    const buffer = submitted(device, (encoder) => own.encodeSample(encoder, { count: 10, seed: 1 }));
    const expected = await own.sample(10, { seed: 1 });
    const { buffers } = context.gpu.memory.usage;
    own.dispose();
    expect(context.gpu.memory.usage.buffers).toBeLessThan(buffers);
    expectSameBits(await download(device, buffer), expected);
    const { STORAGE, COPY_SRC, COPY_DST, VERTEX } = GPUBufferUsage;
    expect(buffer.usage).toBe(STORAGE | COPY_SRC | COPY_DST | VERTEX);
    expect(buffer.size).toBe(80);
    buffer.destroy();
  });
});

test("passes of the caller's own run in their place in the order", async () => {
  const double = doubling();
  const x = numbered(COUNT * 3);
  const buffer = upload(device, x);
  const [before, after, drawn] = submitted(device, (encoder) => {
    const before = flow.encodeLogProb(encoder, buffer, { count: COUNT });
    double(encoder, buffer);
    const after = flow.encodeLogProb(encoder, buffer, { count: COUNT });
    const drawn = flow.encodeSample(encoder, { count: COUNT, seed: 8 });
    double(encoder, drawn);
    return [before, after, drawn];
  });
  expectSameBits(await download(device, before!), await flow.logProb(x));
  expectSameBits(await download(device, after!), await flow.logProb(x.map((value) => 2 * value)));
  const sample = await flow.sample(COUNT, { seed: 8 });
  expectSameBits(
    await download(device, drawn!),
    sample.map((value) => 2 * value),
  );
});

test('an encoder recorded before the scratch grew is still valid', async () => {
  const own = await maf(context.gpu, { dim: 2, layers: 1, hidden: [8], seed: 3 });
  await own.prepare({ count: 10 });
  const encoder = device.createCommandEncoder();
  const early = own.encodeSample(encoder, { count: 10, seed: 1 });
  const late = own.encodeSample(encoder, { count: 1000, seed: 1 });
  await own.prepare({ count: 5000 });
  const all = await own.sample(5000, { seed: 1 });
  device.queue.submit([encoder.finish()]);
  expectSameBits(await download(device, early), all.slice(0, 20));
  expectSameBits(await download(device, late), all.slice(0, 2000));
  own.dispose();
});

test('a buffer used before the scratch grew is filled from the new scratch', async () => {
  const own = await maf(context.gpu, { dim: 2, layers: 1, hidden: [8], seed: 3 });
  await own.prepare({ count: 10 });
  const into = empty(device, 1000 * 8);
  const log = empty(device, 1000 * 4);
  for (const count of [10, 1000, 10])
    submitted(device, (encoder) => {
      own.encodeSample(encoder, { count, seed: 1, into });
      own.encodeLogProb(encoder, into, { count, into: log });
    });
  const x = await own.sample(1000, { seed: 1 });
  expectSameBits(await download(device, into), x);
  expectSameBits(await download(device, log), await own.logProb(x));
  own.dispose();
});
