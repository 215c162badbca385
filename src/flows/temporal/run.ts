// Runs the programs of a temporal flow over arrays: upload, all steps in one encoder, readback; the host waits once, at the end.

import { LimitError } from '../../runtime/errors.js';
import type { EncodeCall, Executable } from '../../runtime/executable.js';
import { type ArrayRun, chunksOf, partOf, type Rows } from '../../runtime/run-arrays.js';
import { paddedRows } from '../../runtime/tensor.js';
import { derivedSeed } from '../seeds.js';
import { carried, type TemporalTask } from './programs.js';

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

/** What one call of a temporal flow submits. */
export class TemporalRun {
  readonly #run: ArrayRun;
  readonly #executables: Executables;
  /** Features by name. */
  readonly #states: Readonly<Record<string, number>>;

  constructor(run: ArrayRun, executables: Executables, states: Readonly<Record<string, number>>) {
    this.#run = run;
    this.#executables = executables;
    this.#states = states;
  }

  /** Contexts and densities of given series, into the arrays that are there. */
  score(
    call: SeriesCall,
    outputs: { readonly contexts?: Float32Array; readonly perStep?: Float32Array; readonly logProb?: Float32Array },
  ): void {
    const run = this.#run;
    const { contexts, density, total } = this.#executables;
    const { steps, window, covariates, x } = call;
    const contextDim = contexts!.program.externals.contexts!.features;
    this.#chunks(call, contextDim, ['contexts', 'scale', 'total'], (encoder, { rows, start }, given) => {
      const numbers = rows * steps;
      const externals: Record<string, GPUBuffer> = { ...given, contexts: run.acquire('contexts', numbers * contextDim) };
      if (window !== null) externals.scaled = run.acquire('scaled', numbers * x.width);
      encodeSteps(contexts!, encoder, steps, { rows, period: covariates?.shared ? 1 : rows, externals });
      if (outputs.contexts) run.read(encoder, externals.contexts!, numbers * contextDim, outputs.contexts, start * steps * contextDim);
      if (!outputs.perStep || !outputs.logProb) return;
      Object.assign(externals, run.acquireAll({ density: steps, perStep: steps, logProb: 1 }, rows));
      density!.encode(encoder, {
        rows: numbers,
        externals: { x: externals.scaled ?? externals.x!, context: externals.contexts!, logProb: externals.density! },
      });
      total!.encode(encoder, { rows, sequence: { step: 0, steps, period: rows }, externals });
      run.read(encoder, externals.perStep!, numbers, outputs.perStep, start * steps);
      run.read(encoder, externals.logProb!, rows, outputs.logProb, start);
    });
  }

  /** The state after given series, row-major by name, for `draw`. */
  remember(call: SeriesCall): BuffersByName {
    const run = this.#run;
    const { history, leave } = this.#executables;
    const { steps, covariates } = call;
    for (const features of Object.values(this.#states)) this.#checkBinding('history', call.rows, features);
    const widths = Object.fromEntries(Object.entries(this.#states).map(([name, features]) => [carried(name), features]));
    const whole = run.acquireAll(widths, call.rows, 'all ');
    this.#chunks(call, 1, ['history', 'scale', 'leave'], (encoder, { rows, start }, given) => {
      const part = run.acquireAll(widths, rows);
      encodeSteps(history!, encoder, steps, { rows, period: covariates?.shared ? 1 : rows, externals: given });
      leave!.encode(encoder, { rows, externals: { ...given, ...part } });
      for (const [name, features] of Object.entries(widths))
        encoder.copyBufferToBuffer(part[name]!, 0, whole[name]!, start * features * 4, rows * features * 4);
    });
    return whole;
  }

  /** Draws of what follows: after a history that `remember` left, or from the beginning. */
  draw(call: DrawCall, from: BuffersByName | null, into: Float32Array): void {
    const run = this.#run;
    const { draw, enter, scale } = this.#executables;
    const { steps, seed, series, covariates } = call;
    const { features: dim } = draw!.program.externals.x!;
    const externals: Record<string, GPUBuffer> = { ...from };
    if (covariates) {
      this.#checkBinding('covariates', 1, covariates.data.length);
      externals.covariates = run.upload('covariates', covariates.data);
    }
    const most = this.#rowsOfChunk(['draw', 'enter', 'scale'], steps * dim);
    for (const { rows, start } of chunksOf(call.rows, most))
      run.encode((encoder) => {
        Object.assign(externals, this.#clearStates(encoder, rows));
        externals.x = run.acquire('x', rows * steps * dim);
        const at = { rows, firstRow: start, externals };
        if (from) enter!.encode(encoder, { ...at, sequence: { step: 0, steps: 1, period: series } });
        else if (call.scaled) scale!.encode(encoder, { ...at, sequence: { step: 0, steps: 1, period: 1 } }); // of no steps: 1
        encodeSteps(draw!, encoder, steps, { ...at, period: covariates?.shared ? 1 : series }, (step) => derivedSeed(seed, step));
        run.read(encoder, externals.x, rows * steps * dim, into, start * steps * dim);
      });
  }

  /** Chunks of given series, each in an encoder of its own, with inputs uploaded, states cleared and the scale taken. */
  #chunks(
    call: SeriesCall,
    widest: number,
    tasks: readonly TemporalTask[],
    body: (encoder: GPUCommandEncoder, chunk: Rows, externals: BuffersByName) => void,
  ): void {
    const { steps, window } = call;
    const inputs = Object.entries({ x: call.x, ...(call.covariates && { covariates: call.covariates }) });
    const most = this.#rowsOfChunk(tasks, steps * Math.max(widest, ...inputs.map(([, { width }]) => width)));
    for (const chunk of chunksOf(call.rows, most))
      this.#run.encode((encoder) => {
        const { rows } = chunk;
        const externals = this.#clearStates(encoder, rows);
        for (const [name, { data, width, shared }] of inputs)
          externals[name] = this.#run.upload(name, shared ? data : partOf(data, chunk, steps * width));
        if (window !== null) this.#executables.scale!.encode(encoder, { rows, sequence: { step: window, steps, period: rows }, externals });
        body(encoder, chunk, externals);
      });
  }

  #clearStates(encoder: GPUCommandEncoder, rows: number): Record<string, GPUBuffer> {
    const padded = paddedRows(rows);
    const buffers = this.#run.acquireAll(this.#states, padded);
    for (const [name, features] of Object.entries(this.#states)) encoder.clearBuffer(buffers[name]!, 0, padded * features * 4);
    return buffers;
  }

  get #limit(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.#run.gpu.device.limits;
    return Math.min(maxStorageBufferBindingSize, maxBufferSize);
  }

  /** @param numbers of one row in its widest buffer. @throws LimitError where one row is too long. */
  #rowsOfChunk(tasks: readonly TemporalTask[], numbers: number): number {
    this.#checkBinding('time', 1, numbers);
    return Math.min(Math.floor(this.#limit / (4 * numbers)), ...tasks.flatMap((task) => this.#executables[task]?.rowsPerChunk ?? []));
  }

  #checkBinding(what: string, rows: number, numbers: number): void {
    if (4 * rows * numbers > this.#limit)
      throw new LimitError(`${this.#run.place}: ${what}`, `at most ${this.#limit} bytes in one binding`, `${4 * rows * numbers}`);
  }
}

/** A program for one step after another. @param seedOf a seed for each; without it none is read. */
function encodeSteps(
  executable: Executable,
  encoder: GPUCommandEncoder,
  steps: number,
  { period, ...call }: Omit<EncodeCall, 'sequence' | 'seed'> & { readonly period: number },
  seedOf: (step: number) => number = () => 0,
): void {
  const calls = function* (): Generator<EncodeCall> {
    for (let step = 0; step < steps; step++) yield { ...call, seed: seedOf(step), sequence: { step, steps, period } };
  };
  executable.encodeAll(encoder, calls());
}
