// Every buffer and encoder that can be wrong, one by one: which error, and what its sentence says.

import { beforeAll, describe, test } from 'vitest';
import { type Flow, ShapeError, ValueError } from '../../src/index.js';
import { empty, numbered, submitted } from '../support/buffers.js';
import { expectError, wrong } from '../support/errors.js';
import { useSmallFlows } from '../support/small-flows.js';

const context = useSmallFlows();
let flow: Flow;
let conditional: Flow;
beforeAll(() => {
  ({ flow, conditional } = context);
});

const x = numbered(12);

describe('buffers', () => {
  const make = (bytes: number, usage?: number) => empty(context.gpu.device, bytes, usage);
  const encoder = () => context.gpu.device.createCommandEncoder();
  const { COPY_DST, COPY_SRC, STORAGE } = GPUBufferUsage;

  test('too small', async () => {
    await expectError(
      () => flow.encodeSample(encoder(), { count: 8, seed: 0, into: make(95) }),
      ShapeError,
      'E_SHAPE',
      'encodeSample: into needs [8, 3], 96 bytes; got 95 bytes',
    );
    await expectError(
      () => flow.encodeLogProb(encoder(), make(92), { count: 8 }),
      ShapeError,
      'E_SHAPE',
      'encodeLogProb: x needs [8, 3], 96 bytes; got 92 bytes',
    );
    await expectError(
      () => flow.encodeLogProb(encoder(), make(96), { count: 8, into: make(28) }),
      ShapeError,
      'E_SHAPE',
      'encodeLogProb: into needs [8], 32 bytes; got 28 bytes',
    );
  });

  test('without STORAGE usage', async () => {
    const usage = COPY_SRC | COPY_DST;
    const sentence = (place: string) => `${place} needs usage GPUBufferUsage.STORAGE; got usage ${usage}`;
    const plain = make(96, usage);
    await expectError(
      () => flow.encodeSample(encoder(), { count: 8, seed: 0, into: plain }),
      ValueError,
      'E_VALUE',
      sentence('encodeSample: into'),
    );
    await expectError(() => flow.encodeLogProb(encoder(), plain, { count: 8 }), ValueError, 'E_VALUE', sentence('encodeLogProb: x'));
    const into = { count: 8, into: plain };
    await expectError(() => flow.encodeLogProb(encoder(), make(96), into), ValueError, 'E_VALUE', sentence('encodeLogProb: into'));
    const options = { count: 8, seed: 0, context: plain };
    await expectError(() => conditional.encodeSample(encoder(), options), ValueError, 'E_VALUE', sentence('encodeSample: context'));
  });

  test('STORAGE usage alone is enough', async () => {
    submitted(context.gpu.device, (recording) => flow.encodeSample(recording, { count: 8, seed: 0, into: make(96, STORAGE) }));
  });

  test('that are none', async () => {
    for (const [value, got] of [
      [new Float32Array(24), 'Float32Array'],
      [undefined, 'undefined'],
      [null, 'null'],
      [7, '7'],
    ] as const)
      await expectError(
        () => flow.encodeLogProb(encoder(), wrong(value), { count: 8 }),
        ValueError,
        'E_VALUE',
        `encodeLogProb: x needs a GPUBuffer; got ${got}`,
      );
    await expectError(
      () => flow.encodeSample(encoder(), { count: 8, seed: 0, into: wrong(new Float32Array(24)) }),
      ValueError,
      'E_VALUE',
      'encodeSample: into needs a GPUBuffer; got Float32Array',
    );
  });

  test('an encoder that is none', async () => {
    for (const [value, got] of [
      [undefined, 'undefined'],
      [context.gpu.device, 'GPUDevice'],
      [null, 'null'],
    ] as const) {
      const sentence = (place: string) => `${place}: encoder needs a GPUCommandEncoder; got ${got}`;
      await expectError(() => flow.encodeSample(wrong(value), { count: 1, seed: 0 }), ValueError, 'E_VALUE', sentence('encodeSample'));
      await expectError(() => flow.encodeLogProb(wrong(value), make(96), { count: 1 }), ValueError, 'E_VALUE', sentence('encodeLogProb'));
    }
  });

  test('context', async () => {
    const encode = (of: Flow, given: unknown) => () => of.encodeSample(encoder(), { count: 8, seed: 0, context: wrong(given) });
    await expectError(encode(conditional, undefined), ShapeError, 'E_SHAPE', 'encodeSample: context needs [8, 2] or [2]; got none');
    await expectError(encode(conditional, make(60)), ShapeError, 'E_SHAPE', 'encodeSample: context needs [8, 2] or [2]; got 60 bytes');
    await expectError(encode(conditional, make(4)), ShapeError, 'E_SHAPE', 'encodeSample: context needs [2], 8 bytes; got 4 bytes');
    await expectError(encode(conditional, null), ValueError, 'E_VALUE', 'encodeSample: context needs a GPUBuffer; got null');
    await expectError(encode(conditional, x), ValueError, 'E_VALUE', 'encodeSample: context needs a GPUBuffer; got Float32Array');
    const sentence = 'encodeSample: context needs nothing: the flow is unconditional; got 8 bytes';
    await expectError(encode(flow, make(8)), ShapeError, 'E_SHAPE', sentence);
    const logProb = () => conditional.encodeLogProb(encoder(), make(96), { count: 8 });
    await expectError(logProb, ShapeError, 'E_SHAPE', 'encodeLogProb: context needs [8, 2] or [2]; got none');
  });
});
