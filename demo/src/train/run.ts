// One run of training that can be watched, paused, resumed and stopped.

import { type FitProgress, type FitResult, type Flow, fit } from '../../../src/index.js';
import type { DataSet } from './data.js';

export interface RunSettings {
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
}

export interface Progress extends FitProgress {
  /** The step at which the validation loss was measured, where it is a new one. */
  readonly measuredAt: number | null;
}

export interface RunHooks {
  /** About ten times a second. */
  readonly progress: (progress: Progress) => void;
  /** The flow has fresh parameters: draw it. Training waits. */
  readonly refresh: () => Promise<void>;
  /** The flow has fresh parameters, and training stands. */
  readonly paused: (step: number) => Promise<void>;
}

/** Milliseconds between two pictures at least, and how many times longer training has than the picture took. */
const INTERVAL = 400;
const SHARE = 3;
/** Milliseconds over which steps are counted. */
const WINDOW = 5000;
const MEASUREMENTS = 40;

/** Steps a second as they are now, drawing included and pauses not. */
class Pace {
  #marks: { step: number; time: number }[] = [];
  #standing = 0;

  /** Time that is not to count. */
  skip(milliseconds: number): void {
    this.#standing += milliseconds;
  }

  count(step: number): number {
    const time = performance.now() - this.#standing;
    this.#marks.push({ step, time });
    while (this.#marks.length > 2 && time - this.#marks[1]!.time > WINDOW) this.#marks.shift();
    const first = this.#marks[0]!;
    return time > first.time ? (1000 * (step - first.step)) / (time - first.time) : Number.NaN;
  }
}

export class Run {
  /** null where it was stopped. Rejects where training fails. */
  readonly ended: Promise<FitResult | null>;
  readonly #hooks: RunHooks;
  readonly #controller = new AbortController();
  readonly #pace = new Pace();
  readonly #measureEvery: number;
  #resume: (() => void) | null = null;
  #wantsPause = false;
  #nextPicture = 0;
  #isFirst = true;

  constructor(flow: Flow, data: DataSet, settings: RunSettings, seed: number, hooks: RunHooks) {
    this.#hooks = hooks;
    const { steps } = settings;
    this.#measureEvery = Math.max(1, Math.round(steps / MEASUREMENTS));
    const { signal } = this.#controller;
    this.ended = fit(flow, data.train, {
      ...settings,
      warmup: Math.round(steps / 50),
      seed,
      signal,
      onProgress: (progress) => this.#progress(progress),
      ...(data.validation && { validation: data.validation, validateEvery: this.#measureEvery }),
    }).catch((error) => {
      if (signal.aborted && error === signal.reason) return null;
      throw error;
    });
  }

  get isPaused(): boolean {
    return this.#wantsPause;
  }

  pause(): void {
    this.#wantsPause = true;
  }

  resume(): void {
    this.#wantsPause = false;
    this.#resume?.();
  }

  /** Ends it as soon as the device is done with what it has. */
  async stop(): Promise<void> {
    this.#controller.abort();
    this.resume();
    await this.ended.catch(() => {});
  }

  /** `fit` measures before the first step, then every so many. */
  #measuredAt({ step, validationLoss }: FitProgress): number | null {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (validationLoss === undefined) return null;
    if (step % this.#measureEvery === 0) return step;
    return isFirst ? 0 : null;
  }

  async #progress(progress: FitProgress): Promise<void> {
    const { step, steps, update } = progress;
    const stepsPerSecond = this.#pace.count(step);
    const measuredAt = this.#measuredAt(progress);
    this.#hooks.progress({ ...progress, stepsPerSecond, secondsLeft: (steps - step) / stepsPerSecond, measuredAt });
    const began = performance.now();
    if (this.#wantsPause) {
      await update();
      await this.#hooks.paused(step);
      if (this.#wantsPause) {
        await new Promise<void>((resolve) => {
          this.#resume = resolve;
        });
        this.#resume = null;
      }
      this.#pace.skip(performance.now() - began);
    } else if (began >= this.#nextPicture && step < steps) {
      await update();
      await this.#hooks.refresh();
      this.#nextPicture = performance.now() + Math.max(INTERVAL, SHARE * (performance.now() - began));
    }
  }
}
