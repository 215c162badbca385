// Runs the programs of a temporal flow over arrays: upload, all steps in one encoder, readback; the host waits once, at the end.

import { watched } from '../../runtime/error-scope.js';
import { LimitError, StateError } from '../../runtime/errors.js';
import type { EncodeCall, Executable } from '../../runtime/executable.js';
import type { Gpu } from '../../runtime/gpu.js';
import type { ReadTicket } from '../../runtime/readback.js';
import { paddedRows } from '../../runtime/tensor.js';
import { carried, type TemporalTask } from './programs.js';
import type { StateShape } from './recurrent.js';

export type Executables = Readonly<Partial<Record<TemporalTask, Executable>>>;

type BuffersByName = Readonly<Record<string, GPUBuffer>>;

/** Numbers [rows, steps, width], or [steps, width] for all rows. */
export interface Sequence {
  readonly data: Float32Array;
  readonly width: number;
  readonly shared: boolean;
}

/** Given series; `covariates` is null where the flow has none. */
export interface SeriesCall {
  readonly rows: number;
  readonly steps: number;
  readonly x: Sequence;
  readonly covariates: Sequence | null;
  /** Steps that the mean scale is taken over; null without scaling. */
  readonly window: number | null;
}

export interface DrawCall {
  /** Rows of the result: draw s of series b is row s · series + b. */
  readonly rows: number;
  readonly series: number;
  readonly steps: number;
  readonly seed: number;
  readonly covariates: Sequence | null;
  readonly scaled: boolean;
}

const mask64 = (1n << 64n) - 1n;

/** Output function of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195): a bijection of 64-bit words. */
function mixed(word: bigint): bigint {
  let z = word & mask64;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask64;
  return z ^ (z >> 31n);
}

/** Key of the random numbers of one step. Seeds next to each other share none, as seed + step would. */
export function stepSeed(seed: number, step: number): number {
  return Number(mixed(mixed(BigInt(seed)) + BigInt(step + 1) * 0x9e3779b97f4a7c15n) >> 11n);
}

function* stepsOf(steps: number, call: (step: number) => EncodeCall): Generator<EncodeCall> {
  for (let step = 0; step < steps; step++) yield call(step);
}

/** One call on arrays: its buffers come from the pool and go back once all is submitted, since the queue keeps the order. */
export class TemporalRun {
  readonly #gpu: Gpu;
  readonly #place: string;
  readonly #executables: Executables;
  readonly #states: readonly StateShape[];
  readonly #used = new Set<GPUBuffer>();
  readonly #reads: { readonly into: Float32Array; readonly at: number; readonly ticket: ReadTicket }[] = [];

  constructor(gpu: Gpu, place: string, executables: Executables, states: readonly StateShape[]) {
    this.#gpu = gpu;
    this.#place = place;
    this.#executables = executables;
    this.#states = states;
  }

  /** @throws StateError where the device has no memory for it; DeviceLostError or DisposedError where it went away meanwhile. */
  async run(body: () => void): Promise<void> {
    const failure = watched(this.#gpu.device, () => {
      try {
        body();
      } finally {
        for (const buffer of this.#used) this.#gpu.memory.release(buffer);
      }
    });
    const [failed, results] = await Promise.all([
      failure,
      Promise.allSettled(this.#reads.map(async ({ into, at, ticket }) => into.set(await ticket.read(), at))),
    ]);
    if (failed !== null) {
      for (const buffer of this.#used) this.#gpu.memory.destroy(buffer);
      for (const executable of Object.values(this.#executables)) executable.dropScratch();
      throw new StateError(`${this.#place}: the device ${failed}`);
    }
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Contexts and densities of given series, into the arrays that are there. */
  score(
    call: SeriesCall,
    outputs: { readonly contexts?: Float32Array; readonly perStep?: Float32Array; readonly logProb?: Float32Array },
  ): void {
    const { contexts, density, total } = this.#executables;
    const { steps } = call;
    const dim = call.x.width;
    const contextDim = contexts!.program.externals.contexts!.features;
    this.#chunks(call, contextDim, ['contexts', 'scale', 'total'], (encoder, rows, start, given) => {
      const numbers = rows * steps;
      const externals: Record<string, GPUBuffer> = { ...given, contexts: this.#acquire('contexts', numbers * contextDim) };
      if (call.window !== null) externals.scaled = this.#acquire('scaled', numbers * dim);
      contexts!.encodeAll(
        encoder,
        stepsOf(steps, (step) => ({ rows, sequence: { step, steps, period: this.#periodOf(call, rows) }, externals })),
      );
      if (outputs.contexts) this.#read(encoder, externals.contexts!, numbers * contextDim, outputs.contexts, start * steps * contextDim);
      if (!outputs.perStep || !outputs.logProb) return;
      const results = {
        density: this.#acquire('density', numbers),
        perStep: this.#acquire('perStep', numbers),
        logProb: this.#acquire('logProb', rows),
      };
      density!.encode(encoder, {
        rows: numbers,
        externals: { x: externals.scaled ?? externals.x!, context: externals.contexts!, logProb: results.density },
      });
      total!.encode(encoder, { rows, sequence: { step: 0, steps, period: rows }, externals: { ...externals, ...results } });
      this.#read(encoder, results.perStep, numbers, outputs.perStep, start * steps);
      this.#read(encoder, results.logProb, rows, outputs.logProb, start);
    });
  }

  /** The state after given series, row-major by name, for `draw`. */
  remember(call: SeriesCall): BuffersByName {
    const { history, leave } = this.#executables;
    const { steps } = call;
    for (const { features } of this.#states) this.#checkBinding(`${this.#place}: history`, call.rows, features);
    const whole = Object.fromEntries(
      this.#states.map(({ name, features }) => [carried(name), this.#acquire(`all ${name}`, call.rows * features)]),
    );
    this.#chunks(call, 1, ['history', 'scale', 'leave'], (encoder, rows, start, given) => {
      const part = Object.fromEntries(
        this.#states.map(({ name, features }) => [carried(name), this.#acquire(carried(name), rows * features)]),
      );
      history!.encodeAll(
        encoder,
        stepsOf(steps, (step) => ({ rows, sequence: { step, steps, period: this.#periodOf(call, rows) }, externals: given })),
      );
      leave!.encode(encoder, { rows, externals: { ...given, ...part } });
      for (const { name, features } of this.#states) {
        const from = carried(name);
        encoder.copyBufferToBuffer(part[from]!, 0, whole[from]!, start * features * 4, rows * features * 4);
      }
    });
    return whole;
  }

  /** Draws of what follows: after a history that `remember` left, or from the beginning. */
  draw(call: DrawCall, from: BuffersByName | null, into: Float32Array): void {
    const { draw, enter, scale } = this.#executables;
    const { steps, seed, series, covariates } = call;
    const { features: dim } = draw!.program.externals.x!;
    const { device } = this.#gpu;
    const externals: Record<string, GPUBuffer> = { ...from };
    if (covariates) {
      this.#checkBinding(`${this.#place}: covariates`, 1, covariates.data.length);
      externals.covariates = this.#acquire('covariates', covariates.data.length);
      device.queue.writeBuffer(externals.covariates, 0, covariates.data as Float32Array<ArrayBuffer>);
    }
    const most = this.#rowsOfChunk(['draw', 'enter', 'scale'], steps * dim);
    for (let start = 0; start < call.rows; start += most) {
      const rows = Math.min(most, call.rows - start);
      const encoder = device.createCommandEncoder({ label: this.#place });
      Object.assign(externals, this.#clearStates(encoder, rows));
      externals.x = this.#acquire('x', rows * steps * dim);
      const at = { rows, firstRow: start, externals };
      if (from) enter!.encode(encoder, { ...at, sequence: { step: 0, steps: 1, period: series } });
      else if (call.scaled) scale!.encode(encoder, { ...at, sequence: { step: 0, steps: 1, period: 1 } }); // of no steps: 1
      const period = covariates?.shared ? 1 : series;
      draw!.encodeAll(
        encoder,
        stepsOf(steps, (step) => ({ ...at, seed: stepSeed(seed, step), sequence: { step, steps, period } })),
      );
      this.#read(encoder, externals.x, rows * steps * dim, into, start * steps * dim);
      device.queue.submit([encoder.finish()]);
    }
  }

  /** Chunks of given series, each in an encoder of its own, with inputs uploaded, states cleared and the scale taken. */
  #chunks(
    call: SeriesCall,
    widest: number,
    tasks: readonly TemporalTask[],
    body: (encoder: GPUCommandEncoder, rows: number, start: number, externals: BuffersByName) => void,
  ): void {
    const { device } = this.#gpu;
    const { steps, window } = call;
    const inputs = Object.entries({ x: call.x, ...(call.covariates && { covariates: call.covariates }) });
    const most = this.#rowsOfChunk(tasks, steps * Math.max(widest, ...inputs.map(([, { width }]) => width)));
    for (let start = 0; start < call.rows; start += most) {
      const rows = Math.min(most, call.rows - start);
      const encoder = device.createCommandEncoder({ label: this.#place });
      const externals: Record<string, GPUBuffer> = { ...this.#clearStates(encoder, rows) };
      for (const [name, { data, width, shared }] of inputs) {
        const part = shared ? data : data.subarray(start * steps * width, (start + rows) * steps * width);
        externals[name] = this.#acquire(name, part.length);
        device.queue.writeBuffer(externals[name], 0, part as Float32Array<ArrayBuffer>);
      }
      if (window !== null) this.#executables.scale!.encode(encoder, { rows, sequence: { step: window, steps, period: rows }, externals });
      body(encoder, rows, start, externals);
      device.queue.submit([encoder.finish()]);
    }
  }

  #periodOf({ covariates }: SeriesCall, rows: number): number {
    return covariates?.shared ? 1 : rows;
  }

  #clearStates(encoder: GPUCommandEncoder, rows: number): Record<string, GPUBuffer> {
    const buffers: Record<string, GPUBuffer> = {};
    for (const { name, features } of this.#states) {
      const numbers = paddedRows(rows) * features;
      buffers[name] = this.#acquire(name, numbers);
      encoder.clearBuffer(buffers[name], 0, numbers * 4);
    }
    return buffers;
  }

  readonly #named = new Map<string, GPUBuffer>();

  /** One buffer a name: chunks use it in turn. The first chunk is the largest. */
  #acquire(name: string, numbers: number): GPUBuffer {
    let buffer = this.#named.get(name);
    if (!buffer || buffer.size < numbers * 4) {
      buffer = this.#gpu.memory.acquire(numbers * 4);
      this.#named.set(name, buffer);
      this.#used.add(buffer);
    }
    return buffer;
  }

  #read(encoder: GPUCommandEncoder, buffer: GPUBuffer, count: number, into: Float32Array, at: number): void {
    this.#reads.push({ into, at, ticket: this.#gpu.readback.copy(encoder, buffer, count) });
  }

  get #limit(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.#gpu.device.limits;
    return Math.min(maxStorageBufferBindingSize, maxBufferSize);
  }

  /** @param numbers of one row in its widest buffer. @throws LimitError where one row is too long. */
  #rowsOfChunk(tasks: readonly TemporalTask[], numbers: number): number {
    this.#checkBinding(`${this.#place}: time`, 1, numbers);
    return Math.min(Math.floor(this.#limit / (4 * numbers)), ...tasks.flatMap((task) => this.#executables[task]?.rowsPerChunk ?? []));
  }

  #checkBinding(place: string, rows: number, numbers: number): void {
    if (4 * rows * numbers > this.#limit)
      throw new LimitError(place, `at most ${this.#limit} bytes in one binding`, `${4 * rows * numbers}`);
  }
}
