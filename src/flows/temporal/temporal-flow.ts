// A density of series: a recurrent network reads the past, a conditional flow is the density of the next step given what it remembers.

import { type StoredTensor, writeSafetensors } from '../../format/safetensors.js';
import { type TemporalDescription, temporalMetadata } from '../../format/temporal.js';
import { ShapeError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import type { Program } from '../../runtime/program.js';
import type { Residents } from '../../runtime/residents.js';
import { ArrayRun } from '../../runtime/run-arrays.js';
import { allocate, check, checkCount, checkInteger, checkRows, randomSeed, resolveSeed } from '../checks.js';
import type { Flow } from '../flow.js';
import { copyParameters } from '../parameters.js';
import { asSaved, hasHalves, type SaveOptions } from '../save-options.js';
import { recordTemporal, statesOf, type TemporalParts, type TemporalTask } from './programs.js';
import { type Sequence, type SeriesCall, TemporalRun } from './run.js';

export interface SeriesOptions {
  /** T: steps of each series. */
  readonly time: number;
  /** c [batch, T, K], or [T, K] for all series; for a flow with covariates. */
  readonly covariates?: Float32Array;
  /** With mean scaling: the scale is taken over this many first steps. Default T. */
  readonly window?: number;
}

export interface ContinuationOptions extends SeriesOptions {
  /** Draws for each series. Default 1. */
  readonly samples?: number;
  /** Integer in [0, 2^53); without it each call differs. */
  readonly seed?: number;
  /** Covariates of the steps to come, [batch, steps, K] or [steps, K] for all series. */
  readonly futureCovariates?: Float32Array;
}

export interface SeriesSampleOptions {
  /** Steps of each draw. */
  readonly time: number;
  /** Integer in [0, 2^53); without it each call differs. */
  readonly seed?: number;
  /** c [count, T, K], or [T, K] for all draws. */
  readonly covariates?: Float32Array;
}

export interface TemporalState {
  readonly description: TemporalDescription;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly parameterNames: readonly string[];
}

/** Programs of each call. */
const TASKS = {
  logProb: ['contexts', 'density', 'total'],
  contexts: ['contexts'],
  sampleContinuation: ['history', 'leave', 'enter', 'draw'],
  sample: ['draw'],
} as const;

/**
 * p(x_1 … x_T) = ∏ p(x_t | h_t, c_t), with h_t = LSTM([x_{t−1}, c_t], h_{t−1}), x_0 = 0 and h_0 = 0: Rasul et al. 2021, arXiv:2002.06103.
 * A series is row-major [batch, time, dim], densities are in nats.
 *
 * Every method throws ShapeError or ValueError for arguments that do not fit, LimitError for a series that no binding of the device holds,
 * DisposedError after `dispose`, and DeviceLostError once the device is lost. A NaN at one step gives NaN from that step on, in that
 * series and no other; inside the window of a mean scale, in the whole series.
 */
export class TemporalFlow {
  /** D. */
  readonly dim: number;
  /** K; 0 without covariates. */
  readonly covariates: number;
  /** H: width of the recurrent state. */
  readonly hidden: number;
  /** The conditional flow of one step. Its context is h_t, or [h_t, c_t]; rows of `contexts`. It goes with this object. */
  readonly flow: Flow;
  readonly #parts: TemporalParts;
  readonly #state: TemporalState;
  readonly #tasks: Residents;

  /** Made by `temporalMaf`, `temporal`, `importTemporal` and `loadTemporal`. */
  constructor(gpu: Gpu, parts: TemporalParts, state: TemporalState) {
    this.#parts = parts;
    this.#state = state;
    this.#tasks = gpu.residents('flow', (task) => this.record(task as TemporalTask), [], hasHalves(state.tensors));
    this.dim = parts.dim;
    this.covariates = parts.covariates;
    this.hidden = parts.recurrent.hidden;
    this.flow = parts.flow;
  }

  /**
   * log p of whole series: of each step given all before it, [batch, time], and their sum, [batch]. The recurrent network goes step by
   * step; the densities of all steps are then one batch.
   */
  async logProb(series: Float32Array, options: SeriesOptions): Promise<{ logProb: Float32Array; perStep: Float32Array }> {
    const call = this.#series('logProb', 'series', series, options);
    const logProb = allocate('logProb', call.rows, 1);
    const perStep = allocate('logProb', call.rows, call.steps);
    await this.#run('logProb', call.rows, (run) => run.score(call, { logProb, perStep }));
    return { logProb, perStep };
  }

  /** What the conditional flow is given at each step, [batch, time, C]: row t is made of the steps before t, and conditions x_t. */
  async contexts(series: Float32Array, options: SeriesOptions): Promise<Float32Array> {
    const call = this.#series('contexts', 'series', series, options);
    const contexts = allocate('contexts', call.rows * call.steps, this.flow.contextDim);
    await this.#run('contexts', call.rows, (run) => run.score(call, { contexts }));
    return contexts;
  }

  /**
   * Draws of the `steps` that follow each given history [batch, time, dim]: [samples, batch, steps, dim]. All steps are recorded before
   * any of them runs. A draw depends on the seed, its row (sample · batch + series), its step and its history. With mean scaling the scale
   * is that of the history's window.
   */
  async sampleContinuation(history: Float32Array, steps: number, options: ContinuationOptions): Promise<Float32Array> {
    const place = 'sampleContinuation';
    const call = this.#series(place, 'history', history, options);
    checkInteger(`${place}: steps`, steps, 1);
    const { samples = 1 } = options;
    const fits = Number.isInteger(samples) && samples >= 0 && samples * call.rows < 2 ** 32;
    check(fits, `${place}: samples`, 'an integer ≥ 0 that makes fewer than 2^32 rows', samples);
    const seed = resolveSeed(place, options.seed, randomSeed);
    const future = this.#covariates(`${place}: futureCovariates`, options.futureCovariates, call.rows, steps);
    const rows = samples * call.rows;
    const result = allocate(place, rows * steps, this.dim);
    const draw = { rows, series: call.rows, steps, seed, covariates: future, scaled: call.window !== null };
    await this.#run(place, rows, (run) => run.draw(draw, run.remember(call), result));
    return result;
  }

  /** `count` series from their first step on, [count, time, dim]. With mean scaling they are in units of the scale. */
  async sample(count: number, options: SeriesSampleOptions): Promise<Float32Array> {
    checkCount('sample', count);
    const steps = options?.time;
    checkInteger('sample: time', steps, 1);
    const seed = resolveSeed('sample', options.seed, randomSeed);
    const covariates = this.#covariates('sample: covariates', options.covariates, count, steps);
    const result = allocate('sample', count * steps, this.dim);
    const call = { rows: count, series: count, steps, seed, covariates, scaled: this.#parts.scaling === 'mean' };
    await this.#run('sample', count, (run) => run.draw(call, null, result));
    return result;
  }

  /** Learned parameters by name, of the recurrent network and of the flow. */
  async parameters(): Promise<Record<string, { shape: number[]; data: Float32Array }>> {
    this.#tasks.assertAlive();
    return copyParameters(this.#state);
  }

  /** One safetensors file with the description in its metadata; `loadTemporal` reads it back to the same bits; `weights` as of a flow's `save`. */
  async save(options?: SaveOptions): Promise<Uint8Array> {
    this.#tasks.assertAlive();
    return writeSafetensors(await asSaved(this.#state.tensors, options), temporalMetadata(this.#state.description));
  }

  /** Frees the buffers of this object and of its `flow`. Idempotent. */
  dispose(): void {
    this.#tasks.dispose();
    this.flow.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The program of a task: printable, and what tests run in float64. */
  record(task: TemporalTask): Program {
    return recordTemporal(this.#parts, task);
  }

  #series(place: string, name: string, data: Float32Array, options: SeriesOptions): SeriesCall {
    this.#tasks.assertAlive();
    const steps = options?.time;
    checkInteger(`${place}: time`, steps, 1);
    const rows = checkSeries(`${place}: ${name}`, data, steps, this.dim);
    const { window } = options;
    const scaled = this.#parts.scaling === 'mean';
    if (window !== undefined) {
      check(scaled, `${place}: window`, 'nothing: the flow does not scale', window);
      const fits = Number.isInteger(window) && window >= 1 && window <= steps;
      check(fits, `${place}: window`, `an integer from 1 to ${steps}, the steps given`, window);
    }
    return {
      rows,
      steps,
      x: { data: data.slice(), width: this.dim, shared: false },
      covariates: this.#covariates(`${place}: covariates`, options.covariates, rows, steps),
      window: scaled ? (window ?? steps) : null,
    };
  }

  #covariates(place: string, data: Float32Array | undefined, rows: number, steps: number): Sequence | null {
    const width = this.covariates;
    if (width === 0) {
      if (data === undefined) return null;
      throw new ShapeError(place, 'nothing: the flow has no covariates', `${data?.length ?? 'no'} numbers`);
    }
    const expected = `[${rows}, ${steps}, ${width}] or [${steps}, ${width}]`;
    if (data === undefined) throw new ShapeError(place, expected, 'none');
    checkRows(place, data, 1);
    if (data.length !== rows * steps * width && data.length !== steps * width)
      throw new ShapeError(place, expected, `${data.length} numbers`);
    return { data: data.slice(), width, shared: data.length === steps * width }; // the caller's may change while we compile
  }

  async #run(place: keyof typeof TASKS, rows: number, body: (run: TemporalRun) => void): Promise<void> {
    this.#tasks.assertAlive();
    if (rows === 0) return;
    const tasks: TemporalTask[] = [...TASKS[place], ...(this.#parts.scaling === 'mean' ? (['scale'] as const) : [])];
    const ready = await Promise.all(tasks.map(async (task) => [task, await this.#tasks.get(task)] as const));
    this.#tasks.assertAlive();
    const executables = Object.fromEntries(ready);
    const run = new ArrayRun(this.#tasks.gpu, place, Object.values(executables));
    await run.run(() => body(new TemporalRun(run, executables, statesOf(this.#parts))));
  }
}

/** Series in a row-major array [batch, steps, dim]. */
function checkSeries(place: string, data: Float32Array, steps: number, dim: number): number {
  checkRows(place, data, 1);
  if (data.length % (steps * dim) !== 0)
    throw new ShapeError(place, `[batch, ${steps}, ${dim}], a multiple of ${steps * dim} numbers`, `${data.length}`);
  return data.length / (steps * dim);
}
