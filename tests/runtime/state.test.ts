// State that outlives a program, and programs that run once a step: what a step leaves, the next one finds, in one encoder.

import { describe, expect, test } from 'vitest';
import { StateError } from '../../src/index.js';
import { fill } from '../../src/kernels/fill.js';
import { pack } from '../../src/kernels/pack.js';
import { series } from '../../src/kernels/series.js';
import { standardNormal } from '../../src/kernels/standard-normal.js';
import { Gpu } from '../../src/runtime/gpu.js';
import { Recorder } from '../../src/runtime/recorder.js';
import { NONE, paddedRows, TILE } from '../../src/runtime/tensor.js';
import { download, empty, expectSameBits, submitted } from '../support/buffers.js';
import { expectError } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';

const held = useGpu();

/** Adds `value` to three features of state. */
const adding = (value: number) => {
  const r = new Recorder('adding');
  r.run(fill, { buffers: { destination: r.state('sums', 3) }, params: { features: 3, value }, constants: { ADD: true } });
  return r.finish();
};

const out = () => {
  const r = new Recorder('out');
  r.run(pack.unpack, { buffers: { tensor: r.state('sums', 3), result: r.external('result', 3) }, params: { features: 3, is_context: 0 } });
  return r.finish();
};

test('state is an external that needs no writer, and its program says so', () => {
  const program = out();
  expect(program.externals).toEqual({
    sums: { features: 3, access: 'read', tiled: true },
    result: { features: 3, access: 'read_write' },
  });
  expect(adding(1).externals.sums!.access).toBe('read_write');
  expect(program.slots).toEqual([]);
  expect(program.toString().split('\n')[0]).toContain('tensor=sums[3]@state result=<result[3]>');
});

test('state of two names is two tensors, of one name one', () => {
  const r = new Recorder('top');
  const copy = (from: string, to: string) =>
    r.run(series.readStep, {
      buffers: { outside: r.external('x', 2), inside: r.state(to, 2), scale: r.state(from, 2) },
      params: { features: 2, inside_features: 2, at: 0 },
    });
  copy('a', 'b');
  expect(() => copy('a', 'a')).toThrow(
    'top/series.read_step: inside needs a buffer of its own, since it is written; got a, also bound as scale',
  );
});

describe.each([Number.POSITIVE_INFINITY, TILE])('in chunks of %d rows at most', (maxRowsPerChunk) => {
  test.each([1, 150])('%i rows: two programs go on from what the other left', async (rows) => {
    const gpu = Gpu.from(held.gpu.device, { maxRowsPerChunk });
    const residents = gpu.residents();
    const programs = await Promise.all([adding(1), adding(0.5), out()].map((program) => gpu.compile(program, residents)));
    const [one, half, read] = programs;
    const sums = empty(gpu.device, paddedRows(rows) * 3 * 4);
    const result = empty(gpu.device, rows * 3 * 4);
    const externals = { sums, result };
    submitted(gpu.device, (encoder) => {
      one!.encode(encoder, { rows, externals });
      half!.encode(encoder, { rows, externals });
      one!.encode(encoder, { rows, externals });
    });
    submitted(gpu.device, (encoder) => read!.encode(encoder, { rows, externals }));
    expect(new Set(await download(gpu.device, result))).toEqual(new Set([2.5]));
    for (const program of programs) program.dispose();
    gpu.dispose();
  });
});

describe('a sequence of calls', () => {
  /** Draws two normals and writes them as one step of a series. */
  const drawing = () => {
    const r = new Recorder('drawing');
    const z = r.tiled(2, 'z');
    r.run(standardNormal.sample, { buffers: { z }, params: { dim: 2, sign: 1 } });
    r.run(series.writeStep, {
      buffers: { tensor: z, result: r.external('x', 2), scale: NONE },
      params: { features: 2, inside_features: 2, at: 0 },
    });
    return r.finish();
  };

  test('keeps the step and the seed of each in one encoder, past 16 bits', async () => {
    const { gpu } = held;
    const [rows, steps] = [3, 70_000];
    const program = await gpu.compile(drawing(), gpu.residents());
    const seeds = [2 ** 40 + 7, 2 ** 40 + 7, 9, 2 ** 40 + 9];
    const at = [0, 65_535, 65_536, 69_999];
    const call = (i: number) => ({ rows, seed: seeds[i]!, sequence: { step: at[i]!, steps, period: 1 } });
    const [together, apart] = [empty(gpu.device, rows * steps * 8), empty(gpu.device, rows * steps * 8)];
    submitted(gpu.device, (encoder) =>
      program.encodeAll(
        encoder,
        at.map((_, i) => ({ ...call(i), externals: { x: together } })),
      ),
    );
    for (const i of [3, 1, 0, 2]) submitted(gpu.device, (encoder) => program.encode(encoder, { ...call(i), externals: { x: apart } }));
    const got = await download(gpu.device, together);
    expectSameBits(got, await download(gpu.device, apart));
    const rowAt = (row: number, step: number) => [...got.subarray((row * steps + step) * 2, (row * steps + step + 1) * 2)];
    for (let row = 0; row < rows; row++) {
      expect(rowAt(row, 65_535)).toEqual(rowAt(row, 0)); // one seed
      expect(rowAt(row, 65_536)).not.toEqual(rowAt(row, 0));
      expect(rowAt(row, 69_999)).not.toEqual(rowAt(row, 65_536));
    }
    expect(got.filter((value) => value !== 0).length).toBe(2 * rows * at.length);
    program.dispose();
  });

  test('copies what changes from call to call, and no more', async () => {
    const { gpu } = held;
    const program = await gpu.compile(drawing(), gpu.residents());
    const x = empty(gpu.device, 4 * 8);
    const encoder = gpu.device.createCommandEncoder();
    const copies: number[] = [];
    const counted = new Proxy(encoder, {
      get(target, name: keyof GPUCommandEncoder) {
        if (name === 'beginComputePass') copies.push(0);
        if (name === 'copyBufferToBuffer') copies[copies.length - 1]!++;
        const value = target[name];
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    copies.push(0);
    program.encodeAll(
      counted,
      [0, 1, 2, 2].map((step) => ({ rows: 1, seed: 5, sequence: { step, steps: 4, period: 1 }, externals: { x } })),
    );
    // Eight values of two halves before the first pass; then one half of the step.
    expect(copies).toEqual([16, 1, 1, 0, 0]);
    program.dispose();
  });

  test('takes one chunk', async () => {
    const gpu = Gpu.from(held.gpu.device, { maxRowsPerChunk: TILE });
    const program = await gpu.compile(drawing(), gpu.residents());
    const x = empty(gpu.device, 4);
    const encode = () =>
      program.encode(gpu.device.createCommandEncoder(), { rows: 65, sequence: { step: 0, steps: 1, period: 1 }, externals: { x } });
    await expectError(encode, StateError, 'E_STATE', 'drawing/standard-normal.sample: a step of a sequence takes 64 rows at most; got 65');
    program.dispose();
    gpu.dispose();
  });
});
