// Temporal flows at their edges: arguments, files and options that are wrong, nothing to do, and use after the end.

import { beforeAll, describe, expect, test } from 'vitest';
import {
  DisposedError,
  FormatError,
  importTemporal,
  LimitError,
  loadFlow,
  loadTemporal,
  maf,
  ShapeError,
  type TemporalFlow,
  temporal,
  temporalMaf,
  UnsupportedError,
  ValueError,
} from '../../src/index.js';
import { expectSameBits, numbered } from '../support/buffers.js';
import { expectError, wrong } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';
import { oneUnit, shiftByState, stateDict } from '../support/temporal-files.js';

const held = useGpu();
let flow: TemporalFlow;
let known: TemporalFlow;
beforeAll(async () => {
  flow = await temporalMaf(held.gpu, { dim: 2, hidden: 4, flow: { layers: 1, hidden: [8] }, seed: 1 });
  known = await temporalMaf(held.gpu, { dim: 2, hidden: 4, covariates: 3, scaling: 'mean', flow: { layers: 1, hidden: [8] }, seed: 1 });
});

const x = numbered(12);

describe('arguments', () => {
  test('series', async () => {
    const shape = (body: () => unknown, sentence: string) => expectError(body, ShapeError, 'E_SHAPE', sentence);
    const value = (body: () => unknown, sentence: string) => expectError(body, ValueError, 'E_VALUE', sentence);
    await shape(() => flow.logProb(x, { time: 4 }), 'logProb: series needs [batch, 4, 2], a multiple of 8 numbers; got 12');
    await shape(() => flow.contexts(x, { time: 7 }), 'contexts: series needs [batch, 7, 2], a multiple of 14 numbers; got 12');
    await shape(
      () => flow.sampleContinuation(x, 1, { time: 5 }),
      'sampleContinuation: history needs [batch, 5, 2], a multiple of 10 numbers; got 12',
    );
    await value(() => flow.logProb(wrong([1, 2]), { time: 1 }), 'logProb: series needs a Float32Array; got [1,2]');
    await value(() => flow.logProb(x, wrong(undefined)), 'logProb: time needs an integer ≥ 1; got undefined');
    await value(() => flow.logProb(x, { time: 0 }), 'logProb: time needs an integer ≥ 1; got 0');
    await value(() => flow.sample(3, { time: 1.5 }), 'sample: time needs an integer ≥ 1; got 1.5');
    await value(() => flow.sampleContinuation(x, -1, { time: 3 }), 'sampleContinuation: steps needs an integer ≥ 1; got -1');
    await value(
      () => flow.sampleContinuation(x, 1, { time: 3, seed: -1 }),
      'sampleContinuation: seed needs an integer from 0 to 2^53 − 1; got -1',
    );
    await value(
      () => flow.sampleContinuation(x, 1, { time: 3, samples: 0.5 }),
      'sampleContinuation: samples needs an integer ≥ 0 that makes fewer than 2^32 rows; got 0.5',
    );
    await value(() => flow.sample(-1, { time: 1 }), 'sample: count needs an integer from 0 to 2^32 − 1; got -1');
  });

  test('covariates', async () => {
    const shape = (body: () => unknown, sentence: string) => expectError(body, ShapeError, 'E_SHAPE', sentence);
    const covariates = numbered(18);
    await shape(
      () => flow.logProb(x, { time: 3, covariates }),
      'logProb: covariates needs nothing: the flow has no covariates; got 18 numbers',
    );
    await shape(() => known.logProb(x, { time: 3 }), 'logProb: covariates needs [2, 3, 3] or [3, 3]; got none');
    await shape(
      () => known.logProb(x, { time: 3, covariates: covariates.subarray(1) }),
      'logProb: covariates needs [2, 3, 3] or [3, 3]; got 17 numbers',
    );
    await shape(
      () => known.sampleContinuation(x, 4, { time: 3, covariates }),
      'sampleContinuation: futureCovariates needs [2, 4, 3] or [4, 3]; got none',
    );
    await shape(() => known.sample(5, { time: 4, covariates }), 'sample: covariates needs [5, 4, 3] or [4, 3]; got 18 numbers');
  });

  test('window', async () => {
    const value = (body: () => unknown, sentence: string) => expectError(body, ValueError, 'E_VALUE', sentence);
    await value(() => flow.logProb(x, { time: 3, window: 2 }), 'logProb: window needs nothing: the flow does not scale; got 2');
    const covariates = numbered(9);
    for (const window of [0, 4, 1.5])
      await value(
        () => known.logProb(x, { time: 3, window, covariates }),
        `logProb: window needs an integer from 1 to 3, the steps given; got ${window}`,
      );
  });

  test('one row of covariates serves all series', async () => {
    const one = numbered(9);
    const each = Float32Array.from([...one, ...one]);
    expectSameBits(
      (await known.logProb(x, { time: 3, covariates: one })).perStep,
      (await known.logProb(x, { time: 3, covariates: each })).perStep,
    );
    const draws = { time: 3, samples: 3, seed: 2 };
    expectSameBits(
      await known.sampleContinuation(x, 3, { ...draws, covariates: one, futureCovariates: one }),
      await known.sampleContinuation(x, 3, { ...draws, covariates: each, futureCovariates: each }),
    );
  });

  test('are read before the call returns', async () => {
    const fresh = await loadTemporal(held.gpu, await flow.save());
    const want = await flow.logProb(x, { time: 3 });
    for (const state of ['compiling', 'compiled']) {
      const mine = x.slice();
      const pending = fresh.logProb(mine, { time: 3 });
      mine.fill(9);
      expectSameBits((await pending).perStep, want.perStep, state);
    }
    fresh.dispose();
  });
});

test('a series too long for a binding', async () => {
  const wide = await temporalMaf(held.gpu, { dim: 1, hidden: 1000, cell: 'gru', flow: { layers: 1, hidden: [4] } });
  await expectError(
    () => wide.contexts(new Float32Array(40_000), { time: 40_000 }),
    LimitError,
    'E_LIMIT',
    'contexts: time needs at most 134217728 bytes in one binding; got 160000000',
  );
  wide.dispose();
});

test('nothing to do gives empty arrays', async () => {
  const none = new Float32Array(0);
  expect(await flow.logProb(none, { time: 3 })).toEqual({ logProb: none, perStep: none });
  expect(await flow.contexts(none, { time: 3 })).toEqual(none);
  expect(await flow.sampleContinuation(none, 4, { time: 3 })).toEqual(none);
  expect(await flow.sampleContinuation(x, 4, { time: 3, samples: 0 })).toEqual(none);
  expect(await flow.sample(0, { time: 3 })).toEqual(none);
});

test('without a seed each call differs; with one, concurrent calls do not disturb each other', async () => {
  const [a, b] = await Promise.all([flow.sample(4, { time: 2 }), flow.sample(4, { time: 2 })]);
  expect(a).not.toEqual(b);
  const want = await flow.sampleContinuation(x, 2, { time: 3, seed: 5, samples: 9 });
  const density = await flow.logProb(x, { time: 3 });
  const [again, other, scored] = await Promise.all([
    flow.sampleContinuation(x, 2, { time: 3, seed: 5, samples: 9 }),
    flow.sampleContinuation(x, 2, { time: 3, seed: 6, samples: 9 }),
    flow.logProb(x, { time: 3 }),
  ]);
  expectSameBits(again, want);
  expect(other).not.toEqual(want);
  expectSameBits(scored.perStep, density.perStep);
});

test('infinities and far values never become a plausible number for a NaN', async () => {
  const far = Float32Array.of(1e30, -1e30, Number.POSITIVE_INFINITY, 0, 1, 1);
  const { perStep, logProb } = await flow.logProb(far, { time: 3 });
  expect(perStep[0]).toBe(Number.NEGATIVE_INFINITY);
  for (const value of [perStep[1], logProb[0]]) expect(Number.isFinite(value)).toBe(false);
});

describe('options', () => {
  const value = (body: () => unknown, sentence: string) => expectError(body, ValueError, 'E_VALUE', sentence);
  test.each([
    [{ hidden: 0 }, 'temporalMaf: hidden needs an integer ≥ 1; got 0'],
    [{ lstmLayers: 0 }, 'temporalMaf: lstmLayers needs an integer ≥ 1; got 0'],
    [{ covariates: -1 }, 'temporalMaf: covariates needs an integer ≥ 0; got -1'],
    [{ cell: 'rnn' }, "temporalMaf: cell needs 'lstm' or 'gru'; got \"rnn\""],
    [{ scaling: 'max' }, "temporalMaf: scaling needs 'none' or 'mean'; got \"max\""],
    [{ flow: { layers: 0 } }, 'maf: layers needs an integer ≥ 1; got 0'],
    [{ dim: 0 }, 'maf: dim needs an integer ≥ 1; got 0'],
  ])('%j', async (option, sentence) => {
    await value(() => temporalMaf(held.gpu, { dim: 2, ...wrong<object>(option) }), sentence);
  });

  test('a flow that does not fit', async () => {
    const step = await maf(held.gpu, { dim: 2, layers: 1, hidden: [4], contextDim: 5 });
    await value(
      () => temporal(held.gpu, { flow: step, hidden: 3, covariates: 1 }),
      'temporal: flow needs contextDim 3, or 4 with the covariates; got contextDim 5',
    );
    const without = await maf(held.gpu, { dim: 2, layers: 1, hidden: [4] });
    await value(
      () => temporal(held.gpu, { flow: without }),
      'temporal: flow needs a context wider than the 0 covariates; got contextDim 0',
    );
    await value(() => temporal(held.gpu, { flow: wrong({}) }), 'temporal: flow needs a flow of this library; got {}');
    // The flow stays the caller's.
    const around = await temporal(held.gpu, { flow: step });
    around.dispose();
    expect((await step.sample(2, { seed: 1, context: new Float32Array(5) })).every(Number.isFinite)).toBe(true);
  });
});

describe('files', () => {
  const recurrent: Record<string, [number[], number[]]> = {
    weight_ih_l0: [
      [4, 1],
      [0, 0, 1, 0],
    ],
    weight_hh_l0: [
      [4, 1],
      [0, 0, 0, 0],
    ],
  };
  const load = (change: object, tensors: Record<string, [number[], number[]]> = {}) =>
    importTemporal(held.gpu, { ...oneUnit, ...change }, stateDict({ ...recurrent, ...tensors }, shiftByState));
  const format = (body: () => unknown, sentence: string | RegExp) => expectError(body, FormatError, 'E_FORMAT', sentence);

  test('tensors', async () => {
    await format(
      () => load({ cell: { ...oneUnit.cell, layers: 2 } }),
      'rnn.weight_ih_l1: is named by the description and missing from the file',
    );
    await format(
      () =>
        load(
          {},
          {
            weight_ih_l0: [
              [3, 1],
              [0, 0, 1],
            ],
          },
        ),
      'rnn.weight_ih_l0: needs shape [4, 1]; got [3, 1]',
    );
    await format(
      () => load({}, { bias_ih_l0: [[4], [0, 0, 0, 0]] }),
      'rnn.bias_hh_l0: is named by the description and missing from the file',
    );
    await format(
      () => load({}, { weight_hr_l0: [[1, 1], [0]] }),
      'rnn.weight_hr_l0: F32 tensor [1, 1] is in the file, and nothing in the description reads it',
    );
    await format(
      () =>
        load(
          {},
          {
            weight_hh_l0: [
              [4, 1],
              [0, Number.NaN, 0, 0],
            ],
          },
        ),
      'rnn.weight_hh_l0: needs finite numbers; got NaN at 1',
    );
    await format(() => load({ flow_prefix: 'flow' }), 'step.0.weight: is in the file, and nothing in the description reads it');
    const net = { type: 'masked_mlp', linears: ['0', '2'], activation: 'relu', context_proj: 'c' };
    const flow = { ...oneUnit.flow, structure: [{ op: 'ar_affine', form: 'mu_s', net }] };
    await format(() => load({ flow }), /2\.weight.*missing from the file/);
  });

  test('descriptions', async () => {
    await format(() => load({ cell: { ...oneUnit.cell, hidden: 'one' } }), 'description.cell.hidden: needs an integer ≥ 1; got "one"');
    await format(() => load({ features: undefined }), 'description.features: needs an integer ≥ 1; it is missing');
    await format(() => load({ features: 2 }), 'description.flow.features: needs 2, the features of a step; got 1');
    await format(
      () => load({ covariates: 2, cell: { ...oneUnit.cell, hidden: 4 } }),
      'description.flow.context_features: needs 4 or 6: the hidden state, without or with the covariates; got 1',
    );
    await expectError(
      () => load({ cell: { ...oneUnit.cell, type: 'rnn' } }),
      UnsupportedError,
      'E_UNSUPPORTED',
      'description.cell.type: "rnn" is not supported; known: "lstm", "gru"',
    );
    await expectError(() => load({ version: 2 }), UnsupportedError, 'E_UNSUPPORTED', /^description.version: 2 is not supported/);
  });

  test('saved ones', async () => {
    await expectError(async () => loadFlow(held.gpu, await flow.save()), FormatError, 'E_FORMAT', /^__metadata__: needs the key "flow"/);
    const other = await maf(held.gpu, { dim: 2, layers: 1, hidden: [4] });
    await expectError(
      async () => loadTemporal(held.gpu, await other.save()),
      FormatError,
      'E_FORMAT',
      /^__metadata__: needs the key "temporal"/,
    );
  });
});

test('nothing works after dispose, and nothing is left behind', async () => {
  const before = held.gpu.memory.usage.buffers;
  const mine = await loadTemporal(held.gpu, await flow.save());
  await mine.logProb(x, { time: 3 });
  await mine.sampleContinuation(x, 2, { time: 3, samples: 2 });
  const during = held.gpu.memory.usage.buffers;
  for (let i = 0; i < 3; i++) {
    await mine.logProb(x, { time: 3 });
    await mine.sampleContinuation(x, 2, { time: 3, samples: 2 });
  }
  expect(held.gpu.memory.usage.buffers, 'calls like these take their buffers from the pool').toBe(during);
  mine.dispose();
  mine.dispose();
  const pooled = during - held.gpu.memory.usage.buffers;
  expect(pooled, 'programs, weights and scratch').toBeGreaterThan(10);
  for (const call of [
    () => mine.logProb(x, { time: 3 }),
    () => mine.contexts(x, { time: 3 }),
    () => mine.sample(1, { time: 1 }),
    () => mine.sampleContinuation(x, 1, { time: 3 }),
    () => mine.parameters(),
    () => mine.save(),
    () => mine.flow.logProb(x, { context: new Float32Array(4) }),
  ])
    await expectError(call, DisposedError, 'E_DISPOSED', 'this flow was disposed; load or build it again');
  // A second flow finds the pool as the first left it.
  const after = await loadTemporal(held.gpu, await flow.save());
  const idle = held.gpu.memory.usage.buffers;
  await after.logProb(x, { time: 3 });
  await after.sampleContinuation(x, 2, { time: 3, samples: 2 });
  after.dispose();
  expect(held.gpu.memory.usage.buffers).toBe(idle);
  expect(before).toBeLessThanOrEqual(idle);
});
