// Levels of a multi-scale flow over vectors: where features go, and what is refused.

import { expect, test } from 'vitest';
import { TensorWriter } from '../../src/flows/recipes/initial.js';
import type { OpDescription } from '../../src/format/description.js';
import { FormatError, importTorch } from '../../src/index.js';
import { expectError } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';
import { describedFlow } from './structures.js';

const held = useGpu();

test('latents of each level follow each other, in the order listed, and merge back', async () => {
  const structure: OpDescription[] = [
    { op: 'split', latent: [3, 0] }, // 0 1 2 3 4 → latent 3 0, on go 1 2 4
    { op: 'permute', perm: [2, 0, 1] }, // 4 1 2
    { op: 'split', latent: [1] }, // latent 1, on go 4 2
    { op: 'permute', perm: [1, 0] },
  ];
  const flow = describedFlow(held.gpu, new TensorWriter(0), { features: 5, structure });
  const x = Float32Array.from({ length: 70 * 5 }, (_, i) => i);
  const { z, logDet } = await flow.forward(x);
  for (let row = 0; row < 70; row++) expect(Array.from(z.subarray(5 * row, 5 * row + 5), (v) => v - 5 * row)).toEqual([3, 0, 1, 2, 4]);
  expect(logDet.every((value) => value === 0)).toBe(true);
  expect((await flow.inverse(z)).x).toEqual(x);
});

test('only the layers before a feature leaves move it', async () => {
  const writer = new TensorWriter(0);
  writer.filled('a.s', [3], Math.log(2));
  writer.filled('a.t', [3], 0);
  writer.filled('b.s', [2], Math.log(3));
  writer.filled('b.t', [2], 0);
  const scale = (prefix: string): OpDescription => ({
    op: 'actnorm',
    log_scale: `${prefix}.s`,
    shift: `${prefix}.t`,
    form: 'scale_then_shift',
  });
  const structure: OpDescription[] = [scale('a'), { op: 'split', latent: [1] }, scale('b')];
  const flow = describedFlow(held.gpu, writer, { features: 3, structure });
  const { z, logDet } = await flow.forward(Float32Array.of(1, 10, 100));
  for (const [i, want] of [20, 6, 600].entries()) expect(z[i]).toBeCloseTo(want, 3);
  expect(logDet[0]).toBeCloseTo(3 * Math.log(2) + 2 * Math.log(3), 5);
});

test('a split of what is not there, of one feature twice or of all is refused with its place', async () => {
  const empty = new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]);
  const load = (structure: object[]) =>
    importTorch(held.gpu, { features: 3, base: { type: 'standard_normal' }, structure_direction: 'density', structure }, empty);
  for (const latent of [[3], [0, 0], [0, 1, 2]])
    await expectError(
      () => load([{ op: 'split', latent }]),
      FormatError,
      'E_FORMAT',
      /^description\.structure\[0\]\.latent: needs some of the features 0 to 2/,
    );
  await expectError(
    () =>
      load([
        { op: 'split', latent: [0] },
        { op: 'permute', perm: [0, 1, 2] },
      ]),
    FormatError,
    'E_FORMAT',
    'description.structure[1].perm: needs each of 0 to 1 once; got [0,1,2]',
  );
  await expectError(
    () =>
      load([
        { op: 'split', latent: [0] },
        { op: 'permute', perm: [1, 0] },
        { op: 'actnorm', log_scale: 's', shift: 't', form: 'scale_then_shift' },
      ]),
    FormatError,
    'E_FORMAT',
    /^description\.structure\[2\] \(actnorm\): s: is named by the description/,
  );
});
