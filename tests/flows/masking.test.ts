// Maskings and scale bounds of NICE and RealNVP; the rest is in properties.test.ts.

import { describe, expect, test } from 'vitest';
import { descriptionFromMetadata } from '../../src/format/format.js';
import { readSafetensors } from '../../src/format/safetensors.js';
import { type Flow, FormatError, nice, realNVP, UnsupportedError, ValueError } from '../../src/index.js';
import { expectError, wrong } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';

const held = useGpu();

describe('maskings', () => {
  const identities = async (flow: Flow) => {
    const { structure, event_shape } = descriptionFromMetadata(readSafetensors(await flow.save()).metadata);
    flow.dispose();
    return { event_shape, identity: structure.flatMap((op) => (op.op === 'coupling_affine' ? [op.identity] : [])) };
  };

  test('which features pass, layer by layer', async () => {
    const made = (options: object, dim: number) => nice(held.gpu, { dim, layers: 3, hidden: [4], ...options }).then(identities);
    expect((await made({}, 5)).identity).toEqual([
      [0, 2, 4],
      [1, 3],
      [0, 2, 4],
    ]);
    expect((await made({ masking: 'halves' }, 5)).identity).toEqual([
      [0, 1],
      [2, 3, 4],
      [0, 1],
    ]);
    expect(await made({ masking: 'checkerboard', shape: [2, 2, 3] }, 12)).toEqual({
      event_shape: [2, 2, 3],
      identity: [
        [0, 2, 4, 6, 8, 10],
        [1, 3, 5, 7, 9, 11],
        [0, 2, 4, 6, 8, 10],
      ],
    });
    expect((await made({ masking: 'checkerboard', shape: [1, 2, 2] }, 4)).identity[0]).toEqual([0, 3]);
    expect((await made({ masking: 'channels', shape: [3, 1, 2] }, 6)).identity).toEqual([
      [0, 1],
      [2, 3, 4, 5],
      [0, 1],
    ]);
    const given = [
      [1, 0, 0],
      [0, 1, 1],
    ];
    expect((await made({ masking: given }, 3)).identity).toEqual([[0], [1, 2], [0]]);
    const [one, again, other] = [1, 1, 2].map((seed) => made({ masking: 'random', seed }, 20));
    expect((await one!).identity).toEqual((await again!).identity);
    expect((await one!).identity).not.toEqual((await other!).identity);
    for (const identity of (await one!).identity) expect(identity).toHaveLength(10);
  });

  const bad: [options: object, message: string][] = [
    [
      { masking: [[1, 1, 1, 1]] },
      'realNVP: masking[0] needs features that pass and features that move in every layer; got a mask of 4 that all pass',
    ],
    [
      {
        masking: [
          [1, 0, 1, 0],
          [0, 0, 0, 0],
        ],
      },
      'realNVP: masking[1] needs features that pass and features that move in every layer; got a mask of 4 that all move',
    ],
    [{ masking: [[1, 0]] }, 'realNVP: masking[0] needs 4 numbers, each 0 or 1; got [1,0]'],
    [{ masking: [[1, 0, 2, 0]] }, 'realNVP: masking[0] needs 4 numbers, each 0 or 1; got [1,0,2,0]'],
    [{ masking: [] }, 'realNVP: masking needs a name or at least one mask; got []'],
    [
      { masking: 'stripes' },
      'realNVP: masking needs alternating, halves, checkerboard, channels, random or a list of masks; got "stripes"',
    ],
    [{ masking: 'checkerboard' }, 'realNVP: shape needs [channels, height, width] for checkerboard masks; got undefined'],
    [{ masking: 'channels', shape: [2, 2, 2] }, 'realNVP: shape needs [channels, height, width] with product 4; got [2,2,2]'],
    [
      { masking: 'channels', shape: [1, 2, 2] },
      'realNVP: masking needs features that pass and features that move in every layer; got a mask of 4 that all move',
    ],
    [
      { masking: 'checkerboard', shape: [4, 1, 1] },
      'realNVP: masking needs features that pass and features that move in every layer; got a mask of 4 that all pass',
    ],
    [
      { activation: 'mish' },
      `realNVP: activation needs 'identity', 'relu', 'tanh', 'sigmoid', 'elu', 'leaky_relu', 'silu' or 'softplus'; got "mish"`,
    ],
  ];
  test.each(bad)('%j', (options, message) => expectError(() => realNVP(held.gpu, { dim: 4, ...options }), ValueError, 'E_VALUE', message));

  test('a scale form that is none, or without a bound', async () => {
    const scaled = (scale: object) => () => realNVP(held.gpu, { dim: 4, scale: wrong(scale) });
    await expectError(scaled({ form: 'cube' }), UnsupportedError, 'E_UNSUPPORTED', /form "cube" is not supported; known: sigmoid2, /);
    await expectError(scaled({ form: 'tanh', bound: Number.NaN }), FormatError, 'E_FORMAT', /\.bound.*needs a finite number; got NaN/);
    await expectError(scaled({ form: 'softplus', eps: -1 }), FormatError, 'E_FORMAT', /\.eps.*needs a finite number ≥ 0; got -1/);
    await expectError(
      scaled({ form: 'softclip', slope: 1 }),
      FormatError,
      'E_FORMAT',
      /slope: needs a positive number other than 1; got 1/,
    );
  });
});
