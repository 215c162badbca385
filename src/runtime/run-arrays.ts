// A program on arrays: upload, encode, copy out and submit, chunk by chunk; then wait for all reads at once.

import { watched } from './error-scope.js';
import { StateError } from './errors.js';
import type { Executable } from './executable.js';
import type { Gpu } from './gpu.js';
import type { ReadTicket } from './readback.js';

export interface ArrayCall {
  readonly rows: number;
  readonly seed: number;
  readonly contextStride: 0 | 1;
  /** Row-major, by external. Read before the call returns its promise. */
  readonly inputs: Readonly<Record<string, Float32Array>>;
  /** Row-major, by external; filled. A table, of no features, is a sum over rows: what each chunk gives is added to it. */
  readonly outputs: Readonly<Record<string, Float32Array>>;
}

interface Read {
  /** First element; null for a table. */
  readonly at: number | null;
  readonly into: Float32Array;
  readonly ticket: ReadTicket;
}

/** @throws StateError where the device has no memory for it; DeviceLostError or DisposedError where it went away meanwhile. */
export async function runOnArrays(gpu: Gpu, executable: Executable, place: string, call: ArrayCall): Promise<void> {
  const used = new Set<GPUBuffer>();
  const reads: Read[] = [];
  const failure = watched(gpu.device, () => {
    executable.reserve(call.rows);
    for (let start = 0; start < call.rows; start += executable.rowsPerChunk) reads.push(...submitChunk(gpu, executable, call, start, used));
  });
  const [failed, results] = await Promise.all([
    failure,
    Promise.allSettled(
      reads.map(async ({ at, into, ticket }) => {
        const part = await ticket.read();
        if (at !== null) into.set(part, at);
        else for (const [i, value] of part.entries()) into[i]! += value;
      }),
    ),
  ]);
  if (failed !== null) {
    // Some buffer is not what it seems, and nobody says which: the next call starts with new ones.
    for (const buffer of used) gpu.memory.destroy(buffer);
    executable.dropScratch();
    throw new StateError(`${place}: the device ${failed}`);
  }
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

function submitChunk(gpu: Gpu, executable: Executable, call: ArrayCall, start: number, used: Set<GPUBuffer>): Read[] {
  const { device, memory, readback } = gpu;
  const rows = Math.min(executable.rowsPerChunk, call.rows - start);
  const externals: Record<string, GPUBuffer> = {};
  const acquire = (name: string, bytes: number): GPUBuffer => {
    const buffer = memory.acquire(bytes);
    externals[name] = buffer;
    used.add(buffer);
    return buffer;
  };
  try {
    for (const [name, data] of Object.entries(call.inputs)) {
      const { features } = executable.program.externals[name]!;
      const shared = features === 0 || (name === 'context' && call.contextStride === 0);
      const part = shared ? data : data.subarray(start * features, (start + rows) * features);
      device.queue.writeBuffer(acquire(name, part.byteLength), 0, part as Float32Array<ArrayBuffer>);
    }
    const encoder = device.createCommandEncoder({ label: executable.program.commands[0]?.label ?? 'empty' });
    const widths = Object.entries(call.outputs).map(([name, into]) => ({
      name,
      into,
      width: executable.program.externals[name]!.features,
    }));
    const lengthOf = ({ into, width }: (typeof widths)[number]) => (width === 0 ? into.length : rows * width);
    for (const output of widths) acquire(output.name, lengthOf(output) * 4);
    executable.encode(encoder, { rows, firstRow: start, seed: call.seed, contextStride: call.contextStride, externals });
    const reads = widths.map((output) => ({
      at: output.width === 0 ? null : start * output.width,
      into: output.into,
      ticket: readback.copy(encoder, externals[output.name]!, lengthOf(output)),
    }));
    device.queue.submit([encoder.finish()]);
    return reads;
  } finally {
    for (const buffer of Object.values(externals)) memory.release(buffer);
  }
}
