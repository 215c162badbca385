// What is compiled and made, and when: once, before encoding, whatever the number of rows.

import { describe, expect, test } from 'vitest';
import { maf, realNVP } from '../../src/index.js';
import { CompileError } from '../../src/runtime/errors.js';
import { defineKernel } from '../../src/runtime/kernel.js';
import { Recorder } from '../../src/runtime/recorder.js';
import { download, empty, numbered, submitted, upload } from '../support/buffers.js';
import { creations } from '../support/creations.js';
import { expectError } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';

const context = useGpu();

test('1000 to 1040 rows share every pipeline', async () => {
  const { gpu } = context;
  const flow = await maf(gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });
  const x = numbered(2 * 1040);
  const use = async (rows: number) => {
    await flow.sampleWithLogProb(rows, { seed: 1 });
    await flow.sample(rows, { seed: 1 });
    await flow.logProb(x.subarray(0, 2 * rows));
    await flow.forward(x.subarray(0, 2 * rows));
    await flow.inverse(x.subarray(0, 2 * rows));
  };
  await use(1000);
  const { size } = gpu.pipelines;
  expect(size).toBeGreaterThan(0);
  const made = await creations(gpu.device, async () => {
    for (let rows = 1001; rows <= 1040; rows++) await use(rows);
  });
  expect(gpu.pipelines.size).toBe(size);
  // Beyond 1024 rows the scratch and the pooled buffers double once, and new buffers want new bind groups. Nothing else is made.
  expect(Object.keys(made).sort()).toEqual(['createBindGroup', 'createBuffer']);
  flow.dispose();
});

test('flows of one kind share their pipelines', async () => {
  const { gpu } = context;
  const flows = await Promise.all([1, 2].map((seed) => realNVP(gpu, { dim: 4, layers: 2, hidden: [8], seed })));
  await flows[0]!.sample(10);
  const { size } = gpu.pipelines;
  await flows[1]!.sample(10);
  expect(gpu.pipelines.size).toBe(size);
  for (const flow of flows) flow.dispose();
});

describe('after prepare', () => {
  test.each([0, 2])(
    'encoding into buffers of the caller makes nothing but bind groups, and those once (context of %i)',
    async (contextDim) => {
      const { gpu } = context;
      const { device } = gpu;
      const count = 200;
      const flow = await maf(gpu, { dim: 2, layers: 2, hidden: [8], contextDim, seed: 1 });
      await flow.prepare({ count });
      const x = upload(device, numbered(count * 2));
      const given = contextDim > 0 ? { context: upload(device, numbered(count * contextDim)) } : {};
      const log = empty(device, count * 4);
      const encodeBoth = () =>
        submitted(device, (encoder) => {
          flow.encodeSample(encoder, { count, seed: 1, into: x, ...given });
          flow.encodeLogProb(encoder, x, { count, into: log, ...given });
        });
      // x and its log-density are each bound in one dispatch, and the context in one dispatch of either program.
      expect(await creations(device, encodeBoth)).toEqual({ createBindGroup: 3 + (contextDim > 0 ? 2 : 0) });
      expect(await creations(device, encodeBoth)).toEqual({});
      const fewer = () => submitted(device, (encoder) => flow.encodeSample(encoder, { count: 7, seed: 2, into: x, ...given }));
      expect(await creations(device, fewer)).toEqual({});
      expect(await creations(device, () => flow.prepare({ count }))).toEqual({});
      await download(device, log);
      flow.dispose();
    },
  );

  test('an output that the caller does not give is the only buffer made', async () => {
    const { gpu } = context;
    const flow = await maf(gpu, { dim: 2, layers: 1, hidden: [8], seed: 1 });
    await flow.prepare({ count: 64 });
    const made = await creations(gpu.device, () => submitted(gpu.device, (encoder) => flow.encodeSample(encoder, { count: 64, seed: 1 })));
    expect(made).toEqual({ createBuffer: 1, createBindGroup: 1 });
    flow.dispose();
  });
});

describe('compile errors', () => {
  const broken = defineKernel(
    {
      name: 'broken',
      entryPoint: 'broken',
      wgsl: '@group(0) @binding(2) var<storage, read_write> y: array<f32>;\n@compute @workgroup_size(1) fn broken() { y[0] = nowhere; }',
      workgroupSize: [1, 1, 1],
      usesCall: false,
      buffers: { y: { binding: 2, access: 'read_write', element: 'f32' } },
      constants: {},
      params: { binding: 1, byteSize: 0, fields: {} },
    } as const,
    () => [1, 1, 1],
  );

  test('name the kernel and the line, and may be tried again', async () => {
    const { gpu } = context;
    const r = new Recorder();
    r.run(broken, { buffers: { y: r.tiled(1, 'y') }, params: {} });
    const before = gpu.memory.usage;
    const { size } = gpu.pipelines;
    const residents = gpu.residents();
    gpu.device.pushErrorScope('validation'); // of createShaderModule, which reports by itself
    for (let attempt = 0; attempt < 2; attempt++)
      await expectError(
        () => gpu.compile(r.finish(), residents),
        CompileError,
        'E_COMPILE',
        /^broken\.broken\{\}: .*nowhere.* at ".*nowhere/,
      );
    await gpu.device.popErrorScope();
    expect(gpu.pipelines.size).toBe(size);
    expect(gpu.memory.usage).toEqual(before);
  });
});
