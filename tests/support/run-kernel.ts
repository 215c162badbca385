// A kernel and its float64 twin on the same case. Every buffer is followed by a guard: NaN after inputs, so that a read beyond them
// shows in the results, and a pattern after outputs, whose bits must be there afterwards. A device clamps what is out of bounds, so the
// guard has to lie inside the buffer.

import type { Kernel } from '../../src/runtime/kernel.js';
import { paddedRows, TILE } from '../../src/runtime/tensor.js';
import { type Array32, type BufferSpec, type KernelCase, ULP } from '../cases/case.js';
import { twinOf } from '../reference/run.js';
import { type CallInput, completeConstants, type Numbers } from '../reference/twin.js';
import { Random } from './random.js';
import { runRaw } from './raw-kernel.js';

const GUARD = 16 * TILE * 4; // four tiles of 16 features
const PATTERN = 0x7fedcba9; // a NaN with a payload

export interface Comparison {
  /** Largest error beside what the case allows; above 1 fails. */
  readonly worst: number;
  /** Where it was. */
  readonly place: string;
}

/** Row of an element of a tiled or a row-major buffer. */
function rowOf(at: number, layout: BufferSpec['layout'], length: number, rows: number): number {
  if (layout !== 'tiled') return Math.floor(at / (length / rows));
  const features = length / paddedRows(rows);
  return Math.floor(at / (features * TILE)) * TILE + (at % TILE);
}

function guarded(data: Array32, pattern: number): Array32 {
  const whole = new Uint32Array(data.length + GUARD).fill(pattern);
  whole.set(new Uint32Array(data.buffer, data.byteOffset, data.length));
  return data instanceof Uint32Array ? whole : new Float32Array(whole.buffer);
}

const widen = (data: Array32): Numbers => (data instanceof Uint32Array ? data.slice() : Float64Array.from(data));

/** @throws where an output's guard was overwritten. */
export async function compareWithTwin(device: GPUDevice, kernel: Kernel, test: KernelCase, seed: number): Promise<Comparison> {
  const { source } = kernel;
  const random = new Random(seed);
  const { rows, params } = test;
  const call: CallInput = {
    rows,
    firstRow: test.firstRow ?? 0,
    seed: test.seed ?? 0,
    contextStride: test.contextStride ?? 1,
    ...test.sequence,
  };
  const data = Object.fromEntries(Object.entries(test.buffers).map(([name, spec]) => [name, spec.make(random, rows)]));
  const outputs = Object.entries(source.buffers).filter(([, { access }]) => access === 'read_write');
  const isOutput = (name: string) => outputs.some(([other]) => other === name);
  const constants = completeConstants(source, { ...test.constants, ...kernel.settings?.(params as never) });

  const got = await runRaw(device, source, {
    buffers: Object.fromEntries(
      Object.entries(data).map(([name, values]) => [name, guarded(values, isOutput(name) ? PATTERN : 0x7fc00000)]),
    ),
    params,
    constants,
    call,
    workgroups: kernel.grid(rows, params),
  });
  const run = (change: (values: Array32, name: string) => Array32, used: Record<string, number | boolean>) => {
    const buffers = Object.fromEntries(Object.entries(data).map(([name, values]) => [name, widen(change(values, name))]));
    twinOf(source).run({ ...call, buffers: buffers as never, params, constants: used as never });
    return buffers;
  };
  const exact = run((values) => values, constants);
  // Sizes of the terms of each sum: the same sum over absolute values, without what only shrinks them.
  const linear = Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, name.endsWith('ACTIVATION') ? 0 : value]));
  if ('GATE' in linear) linear.GATE = false;
  const unsigned = (values: Array32, name: string) =>
    values instanceof Uint32Array ? (test.buffers[name]!.unsigned?.(values) ?? values) : values.map(Math.abs);
  const sizes = test.tolerance.of === 'inputs' ? run(unsigned, linear) : null;
  // Softplus of a small sum is larger than its terms: there its own error is what counts, 2 units in the last place.
  const own = Object.entries(constants).some(([name, value]) => name.endsWith('ACTIVATION') && Number(value) > 0) ? 2 * ULP : 0;

  let worst = 0;
  let place = 'none';
  for (const [name] of outputs) {
    const result = got[name]!;
    const { length } = data[name]!;
    const bits = new Uint32Array(result.buffer);
    const touched = bits.subarray(length).findIndex((word) => word !== PATTERN);
    if (touched >= 0) throw new Error(`${name}: element ${length + touched} was written, ${touched} beyond the end`);
    if (test.scratch?.includes(name)) continue;
    const bound = test.tolerance.bounds?.[name] ?? test.tolerance.bound;
    const terms = test.tolerance.logarithms?.includes(name) ? undefined : sizes?.[name];
    for (let at = 0; at < length; at++) {
      const row = rowOf(at, test.buffers[name]!.layout, length, rows);
      if (row >= rows) continue;
      const [value, want] = [result[at]!, exact[name]![at]!];
      if (value === want || (Number.isNaN(value) && Number.isNaN(want))) continue;
      const size = Math.abs(want);
      const allowed = terms ? Math.max(bound * terms[at]!, own * size, bound * 2 ** -100) : bound * Math.max(1, size);
      const ratio = Math.abs(value - want) / allowed;
      if (ratio <= worst) continue;
      worst = Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio;
      place = `${name}[${at}] (row ${row}): ${value} for ${want}, within ${allowed.toExponential(2)}`;
    }
  }
  return { worst, place };
}
