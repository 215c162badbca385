// Every argument of a flow's methods that can be wrong, one by one: which error, and what its sentence says. Buffers: buffers.test.ts.

import { beforeAll, describe, expect, test } from 'vitest';
import { DisposedError, type Flow, LimitError, realNVP, ShapeError, StateError, ValueError } from '../../src/index.js';
import { CALLER_USAGE, empty, numbered } from '../support/buffers.js';
import { expectError, wrong } from '../support/errors.js';
import { useSmallFlows } from '../support/small-flows.js';

const context = useSmallFlows();
let flow: Flow;
let conditional: Flow;
beforeAll(() => {
  ({ flow, conditional } = context);
});

const x = numbered(12);

test('dim and contextDim', () => {
  expect([flow.dim, flow.contextDim, conditional.dim, conditional.contextDim]).toEqual([3, 0, 3, 2]);
});

describe('arrays', () => {
  const calls: [name: string, call: (array: Float32Array) => Promise<unknown>][] = [
    ['forward: x', (array) => flow.forward(array)],
    ['inverse: z', (array) => flow.inverse(array)],
    ['logProb: x', (array) => flow.logProb(array)],
  ];

  test.each(calls)('%s of a length that is no multiple of dim', async (place, call) => {
    for (const length of [1, 2, 4, 13])
      await expectError(
        () => call(new Float32Array(length)),
        ShapeError,
        'E_SHAPE',
        `${place} needs [n, 3], a multiple of 3 numbers; got ${length}`,
      );
  });

  test.each(calls)('%s that is no Float32Array', async (place, call) => {
    const cases: [unknown, string][] = [
      [[1, 2, 3], '[1,2,3]'],
      [new Float64Array(3), 'Float64Array'],
      [new Float32Array(3).buffer, 'ArrayBuffer'],
      [undefined, 'undefined'],
      [null, 'null'],
      [3, '3'],
      ['abc', '"abc"'],
      [{ length: 3 }, '{"length":3}'],
    ];
    for (const [value, got] of cases)
      await expectError(() => call(wrong(value)), ValueError, 'E_VALUE', `${place} needs a Float32Array; got ${got}`);
  });
});

describe('context', () => {
  const calls: [name: string, call: (of: Flow, options: { context?: Float32Array }) => Promise<unknown>][] = [
    ['forward', (of, options) => of.forward(x, options)],
    ['inverse', (of, options) => of.inverse(x, options)],
    ['logProb', (of, options) => of.logProb(x, options)],
    ['sample', (of, options) => of.sample(4, options)],
    ['sampleWithLogProb', (of, options) => of.sampleWithLogProb(4, options)],
  ];

  test.each(calls)('%s without the context that the flow needs', async (place, call) => {
    await expectError(() => call(conditional, {}), ShapeError, 'E_SHAPE', `${place}: context needs [4, 2] or [2]; got none`);
  });

  test.each(calls)('%s with a context of the wrong length', async (place, call) => {
    for (const length of [0, 1, 3, 4, 7, 9, 16]) {
      const sentence = `${place}: context needs [4, 2] or [2]; got ${length} numbers`;
      await expectError(() => call(conditional, { context: new Float32Array(length) }), ShapeError, 'E_SHAPE', sentence);
    }
  });

  test.each(calls)('%s with a context that is no Float32Array', async (place, call) => {
    const cases: [unknown, string][] = [
      [[1, 2], '[1,2]'],
      [new Float64Array(2), 'Float64Array'],
      [null, 'null'],
    ];
    for (const [value, got] of cases) {
      const sentence = `${place}: context needs a Float32Array; got ${got}`;
      await expectError(() => call(conditional, { context: wrong(value) }), ValueError, 'E_VALUE', sentence);
    }
  });

  test.each(calls)('%s of an unconditional flow with a context', async (place, call) => {
    const sentence = `${place}: context needs nothing: the flow is unconditional; got 8 numbers`;
    await expectError(() => call(flow, { context: new Float32Array(8) }), ShapeError, 'E_SHAPE', sentence);
  });
});

const counts: [unknown, string][] = [
  [-1, '-1'],
  [0.5, '0.5'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [2 ** 32, '4294967296'],
  ['4', '"4"'],
  [undefined, 'undefined'],
  [null, 'null'],
  [4n, 'bigint'],
  [{ count: 4 }, '{"count":4}'],
];
const seeds: [unknown, string][] = [
  [-1, '-1'],
  [0.5, '0.5'],
  [Number.NaN, 'NaN'],
  [2 ** 53, '9007199254740992'],
  ['7', '"7"'],
  [null, 'null'],
];

describe('counts and seeds', () => {
  const encoder = () => context.gpu.device.createCommandEncoder();
  const byCount: [name: string, call: (count: number) => unknown][] = [
    ['sample', (count) => flow.sample(count)],
    ['sampleWithLogProb', (count) => flow.sampleWithLogProb(count)],
    ['prepare', (count) => flow.prepare({ count })],
    ['profile', (count) => flow.profile('sample', { count })],
    ['encodeSample', (count) => flow.encodeSample(encoder(), { count, seed: 0 })],
    ['encodeLogProb', (count) => flow.encodeLogProb(encoder(), empty(context.gpu.device, 64), { count })],
  ];

  test.each(byCount)('%s', async (place, call) => {
    for (const [value, got] of counts) {
      const sentence = `${place}: count needs an integer from 0 to 2^32 − 1; got ${got}`;
      await expectError(() => call(wrong(value)), ValueError, 'E_VALUE', sentence);
    }
  });

  test('more rows than an array holds', async () => {
    const count = 2 ** 32 - 1;
    const sentence = `sample: count needs a result that fits one Float32Array; got ${count} rows of 3 numbers`;
    await expectError(() => flow.sample(count), LimitError, 'E_LIMIT', sentence);
  });

  const bySeed: [name: string, call: (seed: number) => unknown][] = [
    ['sample', (seed) => flow.sample(4, { seed })],
    ['sampleWithLogProb', (seed) => flow.sampleWithLogProb(4, { seed })],
    ['encodeSample', (seed) => flow.encodeSample(encoder(), { count: 4, seed })],
    ['logProb', (seed) => flow.logProb(new Float32Array(4 * flow.dim), { seed })],
  ];

  test.each(bySeed)('seed of %s', async (place, call) => {
    for (const [value, got] of seeds) {
      const sentence = `${place}: seed needs an integer from 0 to 2^53 − 1; got ${got}`;
      await expectError(() => call(wrong(value)), ValueError, 'E_VALUE', sentence);
    }
  });

  test('encodeSample without a seed', async () => {
    const sentence = 'encodeSample: seed needs an integer from 0 to 2^53 − 1; got undefined';
    await expectError(() => flow.encodeSample(encoder(), wrong({ count: 4 })), ValueError, 'E_VALUE', sentence);
  });

  test('the largest seed draws, and not what another of the same low bits draws', async () => {
    const largest = 2 ** 53 - 1;
    expect(await flow.sample(2, { seed: largest })).not.toEqual(await flow.sample(2, { seed: largest % 2 ** 32 }));
  });

  test('profile of an unknown task, or of nothing', async () => {
    const sentence = `profile: task needs 'sample' or 'logProb'; got "forward"`;
    await expectError(() => flow.profile(wrong('forward'), { count: 1 }), ValueError, 'E_VALUE', sentence);
    await expectError(
      () => flow.profile('sample', { count: 0 }),
      ValueError,
      'E_VALUE',
      'profile: count needs at least 1 row to measure; got 0',
    );
  });
});

describe('order of calls', () => {
  test('encode before prepare', async () => {
    const fresh = await realNVP(context.gpu, { dim: 2, layers: 1, hidden: [4] });
    const encoder = context.gpu.device.createCommandEncoder();
    const sentence = (caller: string) => `${caller}: await flow.prepare({ count }) first; compiling is asynchronous, encoding is not`;
    await expectError(() => fresh.encodeSample(encoder, { count: 1, seed: 0 }), StateError, 'E_STATE', sentence('encodeSample'));
    const buffer = empty(context.gpu.device, 8, CALLER_USAGE);
    await expectError(() => fresh.encodeLogProb(encoder, buffer, { count: 1 }), StateError, 'E_STATE', sentence('encodeLogProb'));
    fresh.dispose();
  });

  test('use after dispose', async () => {
    const gone = await realNVP(context.gpu, { dim: 2, layers: 1, hidden: [4] });
    await gone.prepare({ count: 1 });
    gone.dispose();
    const encoder = context.gpu.device.createCommandEncoder();
    const buffer = empty(context.gpu.device, 8, CALLER_USAGE);
    const calls: Record<string, () => unknown> = {
      forward: () => gone.forward(new Float32Array(2)),
      inverse: () => gone.inverse(new Float32Array(2)),
      logProb: () => gone.logProb(new Float32Array(2)),
      sample: () => gone.sample(1),
      'sample of nothing': () => gone.sample(0),
      sampleWithLogProb: () => gone.sampleWithLogProb(1),
      prepare: () => gone.prepare({ count: 1 }),
      encodeSample: () => gone.encodeSample(encoder, { count: 1, seed: 0 }),
      encodeLogProb: () => gone.encodeLogProb(encoder, buffer, { count: 1 }),
      parameters: () => gone.parameters(),
      save: () => gone.save(),
      profile: () => gone.profile('sample', { count: 1 }),
    };
    for (const call of Object.values(calls))
      await expectError(call, DisposedError, 'E_DISPOSED', 'this flow was disposed; load or build it again');
    gone.dispose();
  });
});
