// Runs a recorded program in float64 through the twins: one reference for every flow. Params that a shader takes as float32 (a
// log-det constant, a sign) stay in float64 here; packed weights are what was recorded, float32.

import { type KernelSource, kernelKey } from '../../src/runtime/kernel.js';
import type { Program } from '../../src/runtime/program.js';
import type { Tensor } from '../../src/runtime/tensor.js';
import { familyName } from '../../src/tuning/family-name.js';
import { families } from '../../src/tuning/variants.js';
import { tiledLength } from './layout.js';
import { type CallInput, completeConstants, type Numbers, type Twin } from './twin.js';

const isTwin = (value: unknown): value is Twin => typeof value === 'object' && value !== null && 'source' in value && 'run' in value;

/** Every twin that a file of this folder exports. */
const twins = new Map(
  Object.values(import.meta.glob<Record<string, unknown>>(['./*.ts', '!./run.ts'], { eager: true }))
    .flatMap((module) => Object.values(module))
    .filter(isTwin)
    .map((twin) => [kernelKey(twin.source), twin]),
);

/** Which twin serves a variant: that of its family, since float64 does not show the order of sums. */
const familyOf = new Map(
  Object.entries(families).flatMap(([name, { few }]) =>
    few.map(({ source }) => [kernelKey(source), [...twins.values()].find((twin) => familyName(twin) === name)?.source]),
  ),
);

/** @throws where a kernel has no twin. */
export function twinOf(source: KernelSource): Twin {
  const twin = twins.get(kernelKey(familyOf.get(kernelKey(source)) ?? source));
  if (!twin) throw new Error(`no float64 twin of ${kernelKey(source)} in tests/reference`);
  return twin;
}

export type ProgramCall = Pick<CallInput, 'rows'> &
  Partial<CallInput> & {
    /** Row-major inputs by name, and tiled state, which is changed in place; outputs are made here. */
    readonly externals: Readonly<Record<string, Float64Array>>;
    /** Rounds every stored activation to float32, which is where values that float32 cannot hold become infinite. Default float64. */
    readonly storage?: 'float32' | 'float64';
  };

const widened = new WeakMap<Float32Array | Uint32Array, Numbers>();

function constantNumbers(data: Float32Array | Uint32Array): Numbers {
  let numbers = widened.get(data);
  if (!numbers) {
    numbers = data instanceof Uint32Array ? data : Float64Array.from(data);
    widened.set(data, numbers);
  }
  return numbers;
}

/**
 * @returns every external, outputs included, by name. Each tiled tensor is a buffer of its own that starts as NaN, so that what is
 *   read before it was written shows, and two tensors that share scratch wrongly make the device differ from this.
 */
export function runProgram(program: Program, call: ProgramCall): Record<string, Float64Array> {
  const { rows } = call;
  const { firstRow = 0, seed = 0, contextStride = 1, step = 0, steps = 0, period = 0 } = call;
  const values: CallInput = { rows, firstRow, seed, contextStride, step, steps, period };
  const externals: Record<string, Float64Array> = {};
  for (const [name, { features, access, tiled }] of Object.entries(program.externals)) {
    const given = call.externals[name];
    if (!given && access === 'read') throw new Error(`no values for the external ${name} [${rows}, ${features}]`);
    externals[name] = given ?? new Float64Array(tiled ? tiledLength(features, rows) : rows * features).fill(Number.NaN);
  }
  const Storage = call.storage === 'float32' ? Float32Array : Float64Array;
  const scratch = new Map<number, Numbers>();
  const tables = new Map<number, Numbers>();
  const bufferOf = (tensor: Tensor): Numbers => {
    if (tensor.kind === 'constant') return constantNumbers(tensor.data).subarray(tensor.from ?? 0);
    if (tensor.kind === 'external') return externals[tensor.name]!.subarray(tensor.from ?? 0);
    if (tensor.kind === 'table' && tensor.state !== undefined)
      return externals[tensor.state]!.subarray(tensor.from, tensor.from + tensor.length);
    if (tensor.kind === 'table') {
      let table = tables.get(tensor.id);
      if (!table) {
        table = new Storage(tensor.whole).fill(Number.NaN);
        tables.set(tensor.id, table);
      }
      return table.subarray(tensor.from, tensor.from + tensor.length);
    }
    if (tensor.state !== undefined) return externals[tensor.state]!;
    let buffer = scratch.get(tensor.id);
    if (!buffer) {
      buffer = new Storage(tiledLength(tensor.features, rows)).fill(Number.NaN);
      scratch.set(tensor.id, buffer);
    }
    return buffer;
  };
  for (const { kernel, tensors, params, constants } of program.commands) {
    const buffers: Record<string, Numbers> = {};
    for (const name of Object.keys(kernel.source.buffers)) buffers[name] = bufferOf(tensors[name]!);
    twinOf(kernel.source).run({
      ...values,
      buffers: buffers as never,
      params: params as never,
      constants: completeConstants(kernel.source, constants) as never,
    });
  }
  return externals;
}
