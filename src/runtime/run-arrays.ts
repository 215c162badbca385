// Programs on arrays: buffers come from the pool and go back once all is submitted, since the queue keeps the order; the host waits for
// the results alone.

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

export interface Rows {
  readonly start: number;
  readonly rows: number;
}

/** Rows 0 … rows − 1 in chunks of `most`. */
export function* chunksOf(rows: number, most: number): Generator<Rows> {
  for (let start = 0; start < rows; start += most) yield { start, rows: Math.min(most, rows - start) };
}

/** Some rows of an array [n, width]. */
export const partOf = (data: Float32Array, { start, rows }: Rows, width: number): Float32Array =>
  data.subarray(start * width, (start + rows) * width);

/** A chunk's part of one of the call's inputs, which are `width` wide, 0 for a table; a context may be one row for all. */
export const inputOf = ({ inputs, contextStride }: ArrayCall, name: string, chunk: Rows, width: number): Float32Array =>
  width === 0 || (name === 'context' && contextStride === 0) ? inputs[name]! : partOf(inputs[name]!, chunk, width);

/** One call on arrays: what it has borrowed from the pool, and what it waits for. */
export class ArrayRun {
  readonly gpu: Gpu;
  readonly place: string;
  readonly #executables: readonly Executable[];
  readonly #named = new Map<string, GPUBuffer>();
  readonly #used = new Set<GPUBuffer>();
  #reads: { readonly into: Float32Array; readonly at: number | null; readonly ticket: ReadTicket }[] = [];

  /** @param executables that it encodes. */
  constructor(gpu: Gpu, place: string, executables: readonly Executable[]) {
    this.gpu = gpu;
    this.place = place;
    this.#executables = executables;
  }

  /** One buffer a name: chunks use it in turn. */
  acquire(name: string, numbers: number): GPUBuffer {
    let buffer = this.#named.get(name);
    if (!buffer || buffer.size < numbers * 4) {
      buffer = this.gpu.memory.acquire(numbers * 4);
      this.#named.set(name, buffer);
      this.#used.add(buffer);
    }
    return buffer;
  }

  /** Buffers of so many rows, by name. @param prefix of the names under which chunks share them. */
  acquireAll(features: Readonly<Record<string, number>>, rows: number, prefix = ''): Record<string, GPUBuffer> {
    return Object.fromEntries(Object.entries(features).map(([name, width]) => [name, this.acquire(prefix + name, rows * width)]));
  }

  upload(name: string, data: Float32Array): GPUBuffer {
    const buffer = this.acquire(name, data.length);
    this.gpu.device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return buffer;
  }

  /** One encoder, and its submission. */
  encode(record: (encoder: GPUCommandEncoder) => void): void {
    const { device } = this.gpu;
    const encoder = device.createCommandEncoder({ label: this.place });
    record(encoder);
    device.queue.submit([encoder.finish()]);
  }

  /** The first `count` numbers of a buffer go to `into` once the encoder's work is done, from `at` on; with null they are added to it. */
  read(encoder: GPUCommandEncoder, buffer: GPUBuffer, count: number, into: Float32Array, at: number | null): void {
    this.#reads.push({ into, at, ticket: this.gpu.readback.copy(encoder, buffer, count) });
  }

  /**
   * Waits for what `body` submits.
   *
   * @throws StateError where the device has no memory for it; DeviceLostError or DisposedError where it went away meanwhile.
   */
  async wait(body: () => void): Promise<void> {
    const failure = watched(this.gpu.device, body);
    const reads = this.#reads;
    this.#reads = [];
    const [failed, results] = await Promise.all([
      failure,
      Promise.allSettled(
        reads.map(async ({ into, at, ticket }) => {
          const part = await ticket.read();
          if (at !== null) into.set(part, at);
          else for (const [i, value] of part.entries()) into[i]! += value;
        }),
      ),
    ]);
    if (failed !== null) {
      // Some buffer is not what it seems, and nobody says which: the next call starts with new ones.
      for (const buffer of this.#used) this.gpu.memory.destroy(buffer);
      for (const executable of this.#executables) executable.dropScratch();
      throw new StateError(`${this.place}: the device ${failed}`);
    }
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** `wait`, where nothing else is submitted. */
  run(body: () => void): Promise<void> {
    return this.wait(() => {
      try {
        body();
      } finally {
        this.release();
      }
    });
  }

  release(): void {
    for (const buffer of this.#used) this.gpu.memory.release(buffer);
  }
}

/** A program on arrays: upload, encode, copy out and submit, chunk by chunk. @throws as `ArrayRun.wait` does. */
export function runOnArrays(gpu: Gpu, executable: Executable, place: string, call: ArrayCall): Promise<void> {
  const run = new ArrayRun(gpu, place, [executable]);
  const widthOf = (name: string) => executable.program.externals[name]!.features;
  return run.run(() => {
    executable.reserve(call.rows);
    for (const chunk of chunksOf(call.rows, executable.rowsPerChunk)) {
      const { start, rows } = chunk;
      const externals: Record<string, GPUBuffer> = {};
      for (const name of Object.keys(call.inputs)) externals[name] = run.upload(name, inputOf(call, name, chunk, widthOf(name)));
      const lengths = Object.entries(call.outputs).map(
        ([name, into]) => [name, into, widthOf(name) === 0 ? into.length : rows * widthOf(name)] as const,
      );
      for (const [name, , length] of lengths) externals[name] = run.acquire(name, length);
      run.encode((encoder) => {
        executable.encode(encoder, { rows, firstRow: start, seed: call.seed, contextStride: call.contextStride, externals });
        for (const [name, into, length] of lengths)
          run.read(encoder, externals[name]!, length, into, widthOf(name) === 0 ? null : start * widthOf(name));
      });
    }
  });
}
