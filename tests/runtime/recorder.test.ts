// Recording: what it refuses, and the program that comes out. No device is touched.

import { describe, expect, test } from 'vitest';
import { ShapeError, StateError, ValueError } from '../../src/index.js';
import { affine } from '../../src/kernels/affine.js';
import { fill } from '../../src/kernels/fill.js';
import { pack } from '../../src/kernels/pack.js';
import { rowSum } from '../../src/kernels/row-sum.js';
import { Recorder } from '../../src/runtime/recorder.js';
import type { Tensor, TiledTensor } from '../../src/runtime/tensor.js';
import { expectError } from '../support/errors.js';

const filled = (r: Recorder, tensor: TiledTensor) =>
  r.run(fill, { buffers: { destination: tensor }, params: { features: tensor.features, value: 0 } });

test('slices of a table add up, and start at multiples of 64', async () => {
  const r = new Recorder();
  const table = r.constant(new Float32Array(512), 'table');
  expect(r.slice(r.slice(table, 64), 128)).toEqual({ ...table, from: 192 });
  for (const from of [-64, 8, 64.5]) {
    const sentence = `flow/table needs a slice that starts at a multiple of 64 elements; got ${from}`;
    await expectError(() => r.slice(table, from), ShapeError, 'E_SHAPE', sentence);
  }
});

describe('refuses', () => {
  const affineBuffers = (r: Recorder) => ({
    x: r.tiled(2, 'x'),
    parameters: r.tiled(4, 'parameters'),
    slot: r.constant(Uint32Array.of(0, 1), 'slots'),
    y: r.tiled(2, 'y') as Tensor,
    log_terms: r.tiled(2, 'log terms') as Tensor,
  });
  const params = { features: 2, slots: 2, parameter_features: 4 };

  test('a tensor that is missing', async () => {
    const r = new Recorder();
    const { slot: _, ...buffers } = affineBuffers(r);
    await expectError(
      () => r.run(affine, { buffers: buffers as never, params }),
      ShapeError,
      'E_SHAPE',
      'flow/affine needs a tensor for slot; got none',
    );
  });

  test('a tensor of the wrong dtype', async () => {
    const r = new Recorder('top');
    const slot = r.constant(Float32Array.of(0, 1), 'slots');
    await expectError(
      () => r.scope('layer[3]', () => r.run(affine, { buffers: { ...affineBuffers(r), slot }, params })),
      ShapeError,
      'E_SHAPE',
      'top/layer[3]/affine: slot needs u32 elements; got f32 (slots)',
    );
    expect(r.place, 'the scope is left in spite of the error').toBe('top');
  });

  test('a constant to write to', async () => {
    const r = new Recorder();
    const buffers = { ...affineBuffers(r), y: r.constant(new Float32Array(128), 'fixed') };
    const sentence = 'flow/affine: y needs a tensor that may be written; got the constant fixed';
    await expectError(() => r.run(affine, { buffers, params }), ShapeError, 'E_SHAPE', sentence);
  });

  test('a written tensor bound twice', async () => {
    const r = new Recorder();
    const buffers = affineBuffers(r);
    const sentence = 'flow/affine: y needs a buffer of its own, since it is written; got x, also bound as x';
    await expectError(() => r.run(affine, { buffers: { ...buffers, y: buffers.x }, params }), ShapeError, 'E_SHAPE', sentence);
    const both = { ...buffers, log_terms: buffers.y };
    const other = 'flow/affine: y needs a buffer of its own, since it is written; got y, also bound as log_terms';
    await expectError(() => r.run(affine, { buffers: both, params }), ShapeError, 'E_SHAPE', other);
  });

  test('one external under two objects', async () => {
    const r = new Recorder();
    const buffers = { ...affineBuffers(r), x: r.external('x', 2), y: r.external('x', 2) };
    await expectError(() => r.run(affine, { buffers, params }), ShapeError, 'E_SHAPE', /y needs a buffer of its own/);
  });

  test('one external of two widths', async () => {
    const r = new Recorder();
    const unpacked = (features: number) => {
      const tensor = r.tiled(features, 'value');
      filled(r, tensor);
      r.run(pack.unpack, { buffers: { tensor, result: r.external('z', features) }, params: { features, is_context: 0 } });
    };
    unpacked(2);
    unpacked(3);
    await expectError(() => r.finish(), ShapeError, 'E_SHAPE', 'flow/pack.unpack: z needs [rows, 2], as before; got [rows, 3]');
  });

  test('numbers that are not finite', async () => {
    const r = new Recorder();
    const destination = r.tiled(1, 'destination');
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      await expectError(
        () => r.run(fill, { buffers: { destination }, params: { features: 1, value } }),
        ValueError,
        'E_VALUE',
        `flow/fill: value needs a finite number; got ${value}`,
      );
    await expectError(
      () => r.run(affine, { buffers: affineBuffers(r), params, constants: { EPS: Number.NaN } }),
      ValueError,
      'E_VALUE',
      'flow/affine: EPS needs a finite number; got NaN',
    );
  });

  test.each([0, -1, 1.5, Number.NaN])('a tensor of %s features', async (features) => {
    const sentence = `flow/noise needs a positive number of features; got ${features}`;
    await expectError(() => new Recorder().tiled(features, 'noise'), ShapeError, 'E_SHAPE', sentence);
  });

  test('to read what nothing wrote', async () => {
    const r = new Recorder();
    r.run(rowSum, { buffers: { terms: r.tiled(3, 'terms'), total: r.tiled(1, 'log-det') }, params: { features: 3 } });
    await expectError(() => r.finish(), StateError, 'E_STATE', 'flow/row-sum reads terms, which no earlier command wrote');
  });
});

describe('scratch', () => {
  /** A chain of diagonal maps: each tensor is read once, right after it was written. */
  const chain = (widths: readonly number[]) => {
    const r = new Recorder();
    let last = r.tiled(widths[0]!, 't0');
    filled(r, last);
    for (const [index, width] of widths.entries()) {
      if (index === 0) continue;
      const next = r.tiled(width, `t${index}`);
      r.run(pack.unpack, {
        buffers: { tensor: last, result: r.external(`out ${index}`, last.features) },
        params: { features: 1, is_context: 0 },
      });
      filled(r, next);
      last = next;
    }
    return r.finish();
  };

  test('of a tensor that is no longer read serves another', () => {
    const program = chain([4, 4, 4, 4]);
    expect(program.slots).toEqual([4]);
    expect(program.scratchBytesPerRow).toBe(16);
  });

  test('grows where the next tensor is wider, and no wider than the widest', () => {
    expect(chain([4, 8, 2, 16, 1]).slots).toEqual([16]);
  });

  test('of tensors alive at once is apart', () => {
    const r = new Recorder();
    const tensors = [3, 5, 2].map((features, index) => r.tiled(features, `t${index}`));
    for (const tensor of tensors) filled(r, tensor);
    for (const tensor of tensors)
      r.run(pack.unpack, {
        buffers: { tensor, result: r.external(tensor.label, tensor.features) },
        params: { features: 1, is_context: 0 },
      });
    const program = r.finish();
    expect(program.slots).toEqual([3, 5, 2]);
    expect(new Set(tensors.map(({ id }) => program.slotOf.get(id))).size).toBe(3);
    expect(program.externals).toEqual({
      t0: { features: 3, access: 'read_write' },
      t1: { features: 5, access: 'read_write' },
      t2: { features: 2, access: 'read_write' },
    });
  });

  test('is the smallest slot that fits', () => {
    const r = new Recorder();
    const [wide, narrow] = [r.tiled(10, 'wide'), r.tiled(2, 'narrow')];
    for (const tensor of [wide, narrow]) filled(r, tensor);
    for (const tensor of [wide, narrow])
      r.run(pack.unpack, {
        buffers: { tensor, result: r.external(tensor.label, tensor.features) },
        params: { features: 1, is_context: 0 },
      });
    const late = r.tiled(2, 'late');
    filled(r, late);
    const program = r.finish();
    expect(program.slotOf.get(late.id)).toBe(program.slotOf.get(narrow.id));
    expect(program.slots).toEqual([10, 2]);
  });
});
