// float16 against its definition: every number that it has, and the ties between them.

import { expect, test } from 'vitest';
import { asRead, halved, packHalves, toHalf } from '../../src/format/half.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/format/safetensors.js';
import { ValueError } from '../../src/runtime/errors.js';
import { halfToNumber } from '../reference/halves.js';
import { expectError } from '../support/errors.js';

const FINITE = 0x7c00; // bits of infinity
const tensor = (shape: number[], values: number[]): StoredTensor => ({ dtype: 'F32', shape, data: Float32Array.from(values) });

test('every float16 comes back, of either sign', () => {
  for (let bits = 0; bits < FINITE; bits++) {
    expect(toHalf(halfToNumber(bits))).toBe(bits);
    expect(toHalf(-halfToNumber(bits))).toBe(bits | 0x8000);
  }
  expect([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(toHalf)).toEqual([0x7c00, 0xfc00]);
  expect(toHalf(Number.NaN) & 0x7fff).toBeGreaterThan(0x7c00);
});

test('what lies between two goes to the nearer, in the middle to the even one', () => {
  for (let bits = 0; bits < FINITE - 1; bits++) {
    const [low, high] = [halfToNumber(bits), halfToNumber(bits + 1)];
    const middle = (low + high) / 2;
    expect(toHalf(middle)).toBe(bits + (bits % 2));
    expect(toHalf(middle - (high - low) / 64)).toBe(bits);
    expect(toHalf(middle + (high - low) / 64)).toBe(bits + 1);
  }
  expect(toHalf(65519)).toBe(0x7bff);
  expect(toHalf(65520)).toBe(0x7c00);
  expect(toHalf(1e30)).toBe(0x7c00);
  expect(toHalf(2 ** -25)).toBe(0);
  expect(toHalf(1e-30)).toBe(0);
});

test('words hold two, and only what fits exactly', () => {
  expect(packHalves(Float32Array.of(1, -2, 0, 65504))).toEqual(Uint32Array.of(0xc0003c00, 0x7bff0000));
  for (const odd of [1 + 2 ** -11, 65520, 2 ** -15, Number.NaN, Number.POSITIVE_INFINITY])
    expect(packHalves(Float32Array.of(1, odd)), String(odd)).toBeNull();
});

test('matrices are rounded, vectors and integers are not', async () => {
  const indices: StoredTensor = { dtype: 'I64', shape: [1, 1], data: BigInt64Array.of(7n) };
  const tensors = new Map([
    ['weight', tensor([2, 2], [0.1, -1 / 3, 1e-6, -5e-5])],
    ['bias', tensor([2], [0.1, 70000])],
    ['indices', indices],
  ]);
  const rounded = halved(tensors, 'save');
  expect(rounded.get('bias')).toBe(tensors.get('bias'));
  expect(rounded.get('indices')).toBe(indices);
  const { data, dtype, shape } = rounded.get('weight')!;
  expect([dtype, shape]).toEqual(['F16', [2, 2]]);
  const bits = [...new Uint16Array((data as Uint8Array).slice().buffer)];
  expect(bits.map(halfToNumber)).toEqual([0.0999755859375, -0.333251953125, 0, -(2 ** -14)]);
  await expectError(
    () => halved(new Map([['net.weight', tensor([1, 2], [1, -70000])]]), 'save'),
    ValueError,
    'E_VALUE',
    'save: net.weight needs numbers up to 65504 in size, the largest of float16; got -70000',
  );
});

test('what was read from float16 is written so until it changes', () => {
  const before: StoredTensor = { ...tensor([1, 2], [0.5, 3 * 2 ** -24]), half: true };
  const after: StoredTensor = { ...tensor([1, 2], [0.5, 0.1]), half: true };
  const written = asRead(
    new Map([
      ['before', before],
      ['after', after],
      ['never', tensor([1], [1])],
    ]),
  );
  const { tensors } = readSafetensors(writeSafetensors(written));
  expect(Object.fromEntries([...tensors].map(([name, { dtype }]) => [name, dtype]))).toEqual({ before: 'F16', after: 'F32', never: 'F32' });
});
