// Adaptive solves: host loops around programs of one step.

import { describe, expect, test } from 'vitest';
import { batchNorm, StepControl } from '../../src/flows/continuous/step-control.js';
import type { GpuFlow } from '../../src/flows/flow.js';
import { type StoredTensor, writeSafetensors } from '../../src/format/safetensors.js';
import { DisposedError, type FfjordOptions, type Flow, ffjord, Gpu, importTorch, loadFlow, StateError } from '../../src/index.js';
import { download, expectSameBits, numbered, submitted, upload } from '../support/buffers.js';
import { expectError, thrown } from '../support/errors.js';
import { input, loadGolden, numbers } from '../support/golden.js';
import { useGpu } from '../support/gpu.js';
import { ReferenceFlow } from '../support/reference-flow.js';

const held = useGpu();

const worst = (got: ArrayLike<number>, want: ArrayLike<number>): number => {
  expect(got.length).toBe(want.length);
  return Array.from(got).reduce((most, value, i) => {
    const error = Math.abs(value - want[i]!) / (1 + Math.abs(want[i]!));
    return error <= most ? most : Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  }, 0);
};

const negative = (values: Float32Array) => values.map((value) => -value);

async function goldenWith(name: string, solver: object) {
  const golden = await loadGolden(name);
  const structure = (golden.description.structure as object[]).map((op) => ({ ...op, solver }));
  return { io: golden.io, flow: await importTorch(held.gpu, { ...golden.description, structure }, golden.weights) };
}

describe('against the golden solutions', () => {
  test.each(['cnf-d2', 'cnf-d6'])('%s, tighter and tighter', async (name) => {
    let before = Number.POSITIVE_INFINITY;
    for (const tolerance of [1e-3, 1e-4, 1e-6]) {
      const { io, flow } = await goldenWith(name, { method: 'dopri5_adaptive', rtol: tolerance, atol: tolerance });
      const forward = await flow.forward(input(io, 'x')!);
      const inverse = await flow.inverse(input(io, 'base_noise')!);
      const errors = [
        worst(forward.z, numbers(io, 'z')),
        worst(forward.logDet, numbers(io, 'log_abs_det')),
        worst(inverse.x, numbers(io, 'sample')),
        worst(inverse.logDet, numbers(io, 'sample_log_abs_det')),
        worst(await flow.logProb(input(io, 'x')!), numbers(io, 'log_prob')),
      ];
      const most = Math.max(...errors);
      // The norm is a mean over the batch and a step's, so single rows and the whole solve may be off by several tolerances.
      expect(most, `${errors} at ${tolerance}`).toBeLessThan(20 * tolerance);
      expect(most, `${errors} at ${tolerance}`).toBeLessThan(before);
      before = most;
      flow.dispose();
    }
  });
});

const adaptive = { method: 'dopri5-adaptive', rtol: 1e-6, atol: 1e-6 } as const;
const make = (options: Partial<FfjordOptions> = {}, gpu = held.gpu): Promise<Flow> =>
  ffjord(gpu, { dim: 3, hidden: [16, 12], seed: 4, solver: adaptive, ...options });

test.each<[string, Partial<FfjordOptions>]>([
  ['one layer', {}],
  ['three layers', { layers: 3 }],
  ['concat, with a context', { field: 'concat', contextDim: 2 }],
  ['D 1', { dim: 1 }],
  ['estimated', { layers: 2, divergence: { estimator: 'rademacher', probes: 2 } }],
])('%s: as a fine fixed solve', async (_, options) => {
  const flow = await make(options);
  const fixed = (await make({ ...options, solver: { method: 'dopri5', steps: 12 } })) as GpuFlow;
  const rows = 70;
  const [x, given] = [numbered(rows * flow.dim, 1.5), flow.contextDim > 0 ? { context: numbered(rows * flow.contextDim, 2) } : {}];
  const reference = new ReferenceFlow(fixed);
  const [forward, want] = [await flow.forward(x, given), reference.forward(x, given.context)];
  expect(worst(forward.z, want.z)).toBeLessThan(1e-5);
  expect(worst(forward.logDet, want.logDet)).toBeLessThan(1e-5);
  const inverse = await flow.inverse(forward.z, given);
  expect(worst(inverse.x, x)).toBeLessThan(1e-5);
  expect(worst(inverse.logDet, negative(forward.logDet))).toBeLessThan(1e-5);
  expect(worst(await flow.logProb(x, given), reference.logProb(x, given.context))).toBeLessThan(1e-5);
  const [drawn, wanted] = [await flow.sampleWithLogProb(rows, { seed: 6, ...given }), reference.sampleWithLogProb(rows, 6, given.context)];
  expect(worst(drawn.x, wanted.x)).toBeLessThan(1e-5);
  expect(worst(drawn.logProb, wanted.logProb)).toBeLessThan(1e-5);
  // Without the log-det the steps differ, by less than the tolerance.
  expect(worst(await flow.sample(rows, { seed: 6, ...given }), wanted.x)).toBeLessThan(1e-5);
  expectSameBits(await flow.sample(rows, { seed: 6, ...given }), await flow.sample(rows, { seed: 6, ...given }));
  if (given.context) {
    const one = given.context.slice(0, flow.contextDim);
    const each = Float32Array.from({ length: rows * one.length }, (_, i) => one[i % one.length]!);
    expectSameBits(await flow.logProb(x, { context: one }), await flow.logProb(x, { context: each }));
  }
  const loaded = await loadFlow(held.gpu, await flow.save());
  expectSameBits(await loaded.logProb(x, given), await flow.logProb(x, given));
  for (const done of [flow, fixed, loaded]) done.dispose();
});

test('among recorded layers', async () => {
  const saved = await make({ layers: 2 });
  const { tensors, description } = await dismantled(saved);
  const mixedIn = (solver: object) => ({
    ...description,
    structure: [
      { op: 'permute', perm: [2, 0, 1] },
      { ...(description.structure[0] as object), solver },
      { op: 'permute', perm: [1, 2, 0] },
      { op: 'permute', perm: [1, 0, 2] },
      { ...(description.structure[1] as object), solver: { method: 'dopri5', steps: 8 } },
      { op: 'permute', perm: [0, 2, 1] },
    ],
  });
  const flow = await importTorch(held.gpu, mixedIn({ method: 'dopri5_adaptive', rtol: 1e-6, atol: 1e-6 }), tensors);
  const fixed = await importTorch(held.gpu, mixedIn({ method: 'dopri5', steps: 12 }), tensors);
  const x = numbered(90);
  const [forward, want] = [await flow.forward(x), await fixed.forward(x)];
  expect(worst(forward.z, want.z)).toBeLessThan(1e-5);
  expect(worst(forward.logDet, want.logDet)).toBeLessThan(1e-5);
  const [drawn, wanted] = [await flow.sampleWithLogProb(30, { seed: 2 }), await fixed.sampleWithLogProb(30, { seed: 2 })];
  expect(worst(drawn.x, wanted.x)).toBeLessThan(1e-5);
  expect(worst(drawn.logProb, wanted.logProb)).toBeLessThan(1e-5);
  for (const done of [saved, flow, fixed]) done.dispose();
});

/** A flow's file, taken apart. */
async function dismantled(flow: Flow): Promise<{ tensors: Uint8Array; description: { structure: unknown[] } }> {
  const file = await flow.save();
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  return { tensors: file, description: JSON.parse(header.__metadata__.flow) };
}

describe('rows', () => {
  test('the same bits in chunks', async () => {
    const rows = 333;
    const x = numbered(rows * 3, 1.5);
    const context = numbered(rows * 2);
    const options = { layers: 2, contextDim: 2, divergence: { estimator: 'gaussian' } } as const;
    const results = async (gpu: Gpu) => {
      const flow = await make(options, gpu);
      const forward = await flow.forward(x, { context });
      const drawn = await flow.sampleWithLogProb(rows, { seed: 5, context: Float32Array.of(0.5, -1) });
      return { ...forward, ...drawn, density: await flow.logProb(x, { context }) };
    };
    const whole = await results(held.gpu);
    for (const maxRowsPerChunk of [64, 200]) {
      const gpu = Gpu.from(held.gpu.device, { maxRowsPerChunk });
      const parts = await results(gpu);
      for (const [name, value] of Object.entries(whole)) expectSameBits(parts[name as keyof typeof parts], value, name);
      gpu.dispose();
    }
  });

  test('rows that are lost stay in their place, and the others take the steps that they take without them', async () => {
    const flow = await make({ activation: 'swish', field: 'concat' });
    const rows = 64;
    const x = numbered(rows * 3);
    const bad = [3, 17, 40, 41];
    const spoilt = x.slice();
    spoilt[3 * 3] = Number.NaN;
    spoilt[17 * 3 + 2] = Number.POSITIVE_INFINITY;
    spoilt[40 * 3 + 1] = Number.NEGATIVE_INFINITY;
    spoilt[41 * 3] = Number.NaN;
    const kept = Array.from({ length: rows }, (_, row) => row).filter((row) => !bad.includes(row));
    const pick = (values: Float32Array, width: number) =>
      Float32Array.from(kept.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
    const got = await flow.forward(spoilt);
    const alone = await flow.forward(pick(spoilt, 3));
    expectSameBits(pick(got.z, 3), alone.z);
    expectSameBits(pick(got.logDet, 1), alone.logDet);
    for (const row of bad) expect([...got.z.subarray(row * 3, row * 3 + 3)].every(Number.isFinite), `row ${row}`).toBe(false);
    expect((await flow.logProb(spoilt))[3]).toBeNaN();
    // Nothing but lost rows comes to an end too.
    expect((await flow.logProb(new Float32Array(9).fill(Number.NaN))).every(Number.isNaN)).toBe(true);
    flow.dispose();
  });

  test('a row that leaves float32 on its way is let go', async () => {
    // silu(x) − silu(−x) = x: the field is f(x) = x, so z = e x and the log-det is 1.
    const tensors = new Map<string, StoredTensor>();
    for (const [name, shape, values] of [
      ['a.weight', [2, 1], [1, -1]],
      ['b.weight', [1, 2], [1, -1]],
    ] as const)
      tensors.set(name, { dtype: 'F32', shape: [...shape], data: Float32Array.from(values) });
    const description = {
      features: 1,
      base: { type: 'standard_normal' },
      structure_direction: 'density',
      structure: [
        {
          op: 'cnf',
          t_data: 0,
          t_noise: 1,
          net: { type: 'zuko_mlp', linears: ['a', 'b'], activation: 'silu', context_concat: false },
          solver: { method: 'dopri5_adaptive', rtol: 1e-6, atol: 1e-6 },
        },
      ],
    };
    const flow = await importTorch(held.gpu, description, writeSafetensors(tensors));
    const { z, logDet } = await flow.forward(Float32Array.of(0.5, 1.4e38, -2, -2e38));
    expect(worst([z[0]!, z[2]!], [0.5 * Math.E, -2 * Math.E])).toBeLessThan(3e-6);
    expect(worst([logDet[0]!, logDet[2]!], [1, 1])).toBeLessThan(3e-6);
    for (const row of [1, 3]) expect(Number.isFinite(z[row]!)).toBe(false);
    flow.dispose();
  });

  test('none, and calls at once', async () => {
    const flow = await make();
    expect(await flow.sample(0)).toEqual(new Float32Array(0));
    expect(await flow.logProb(new Float32Array(0))).toEqual(new Float32Array(0));
    const x = numbered(30);
    const alone = [await flow.logProb(x), await flow.sample(20, { seed: 1 }), (await flow.inverse(x)).x];
    const together = await Promise.all([flow.logProb(x), flow.sample(20, { seed: 1 }), flow.inverse(x).then((got) => got.x)]);
    for (const [i, value] of alone.entries()) expectSameBits(together[i]!, value);
    flow.dispose();
  });

  test('buffers are used again', async () => {
    const flow = await make();
    await flow.sample(200, { seed: 1 });
    await flow.logProb(numbered(600));
    const before = held.gpu.memory.usage;
    for (let i = 0; i < 3; i++) {
      await flow.sample(200, { seed: i });
      await flow.logProb(numbered(600, i + 1));
    }
    expect(held.gpu.memory.usage).toEqual(before);
    flow.dispose();
  });
});

describe('what has no recorded form', () => {
  test('prepare, profile and encode say which option gives one', async () => {
    const flow = await make();
    const sentence =
      /^flow\/cnf\[0\]: an adaptive solver has no fixed list of commands, .*; build the flow with `steps` beside rtol and atol .*/;
    await expectError(() => flow.prepare({ count: 4 }), StateError, 'E_STATE', sentence);
    await expectError(() => flow.profile('sample', { count: 4 }), StateError, 'E_STATE', sentence);
    flow.dispose();
  });

  test('with steps, encode takes that many', async () => {
    const flow = await make({ solver: { ...adaptive, steps: 5 } });
    const fixed = await make({ solver: { method: 'dopri5', steps: 5 } });
    const { device } = held.gpu;
    const x = numbered(60);
    await flow.prepare({ count: 20 });
    const [drawn, density] = submitted(device, (encoder) => [
      flow.encodeSample(encoder, { count: 20, seed: 3 }),
      flow.encodeLogProb(encoder, upload(device, x), { count: 20 }),
    ]);
    expectSameBits(await download(device, drawn!), await fixed.sample(20, { seed: 3 }));
    expectSameBits(await download(device, density!), await fixed.logProb(x));
    // And the arrays' way is still the adaptive one.
    const plain = await make();
    expectSameBits(await flow.logProb(x), await plain.logProb(x));
    for (const done of [flow, fixed, plain]) done.dispose();
  });
});

describe('limits', () => {
  test('a step limit ends with where it stands', async () => {
    const flow = await make({ solver: { ...adaptive, maxSteps: 3 } });
    const sentence =
      /^logProb: the adaptive solve gave up after 3 steps at t = 0\.\d+ on its way from 0 to 1, with h = 0\.\d+; raise rtol and atol \(float32 rounds at about 1e-7\), or maxSteps$/;
    await expectError(() => flow.logProb(numbered(30)), StateError, 'E_STATE', sentence);
    // It is the solve that failed, not the flow.
    await expectError(() => flow.sample(10, { seed: 1 }), StateError, 'E_STATE', /^sample: .* from 1 to 0, with h = -0\./);
    flow.dispose();
  });

  test('tolerances that float32 cannot meet end too', async () => {
    const flow = await make({ solver: { method: 'dopri5-adaptive', rtol: 0, atol: 1e-12, maxSteps: 40 } });
    await expectError(() => flow.logProb(numbered(30)), StateError, 'E_STATE', /gave up after 40 steps/);
    flow.dispose();
  });

  test('dispose while it runs', async () => {
    const flow = await make();
    await flow.sample(4, { seed: 1 });
    const running = flow.sample(4, { seed: 1 });
    await Promise.resolve();
    flow.dispose();
    expect(await thrown(() => running)).toBeInstanceOf(DisposedError);
    await expectError(() => flow.sample(4), DisposedError, 'E_DISPOSED', /this flow was disposed/);
  });
});

describe('step control', () => {
  test('counts rows that count', () => {
    expect(batchNorm(Float32Array.of(1, -1, 4, -2, 1))).toEqual({ norm: Math.sqrt(2), failed: 1 });
    expect(batchNorm(Float32Array.of(-1))).toEqual({ norm: 0, failed: 0 });
  });

  test.each([
    [0, 1],
    [1, 0],
    [-3, 5],
  ])('from %i to %i: ends there exactly, for an error that grows as h^5', (start, end) => {
    const control = new StepControl(start, end);
    const best = Math.abs(end - start) / 50;
    let [steps, taken] = [0, 0];
    while (!control.done && steps < 200) {
      const before = control.t;
      if (control.judge({ norm: (Math.abs(control.h) / best) ** 5, failed: 0 })) {
        taken++;
        expect((control.t - before) * Math.sign(end - start)).toBeGreaterThan(0);
      } else expect(control.t).toBe(before);
      steps++;
    }
    expect(control.t).toBe(end);
    expect(taken).toBeGreaterThan(50);
    expect(steps).toBeLessThan(80);
  });

  test('cuts steps for rows that become infinite, and lets them go in the end', () => {
    const control = new StepControl(0, 1);
    let rejected = 0;
    while (!control.judge({ norm: 0, failed: 1 })) rejected++;
    expect(rejected).toBeGreaterThan(3);
    expect(rejected).toBeLessThan(10);
    expect(control.t).toBeGreaterThan(0);
  });
});
