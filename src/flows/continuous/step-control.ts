// Step sizes of an adaptive solve: pure arithmetic on the error norms that come back from the device.

import { ROW_FAILED, ROW_LOST } from '../../kernels/runge-kutta.js';

/** First trial step, as a part of the interval. */
const FIRST = 1 / 16;
/** A step of at most this part of the interval is not cut further for rows that it makes infinite: those rows are let go. */
const SMALLEST = 2 ** -14;
const SAFETY = 0.9;
const SHRINK = 0.2;
const GROW = 5;
/** Exponents of a PI controller for an error of order 5: Hairer, Nørsett, Wanner 1993, IV.2 of volume II; Gustafsson 1991. */
const NOW = 0.7 / 5;
const BEFORE = 0.4 / 5;

/** Root mean square over the rows that count, and how many rows the step made infinite. */
export function batchNorm(errors: Float32Array): { norm: number; failed: number } {
  let [sum, count, failed] = [0, 0, 0];
  for (const error of errors) {
    if (error === ROW_LOST) continue;
    if (error === ROW_FAILED || !Number.isFinite(error)) failed++;
    else {
      sum += error;
      count++;
    }
  }
  return { norm: count > 0 ? Math.sqrt(sum / count) : 0, failed };
}

/** Where a solve stands. `h` is the step to try next, signed; the last step ends exactly at `end`. */
export class StepControl {
  readonly end: number;
  t: number;
  h: number;
  readonly #span: number;
  #before = 1;
  #afterRejection = false;

  constructor(start: number, end: number) {
    this.t = start;
    this.end = end;
    this.#span = end - start;
    this.h = FIRST * this.#span;
  }

  get done(): boolean {
    return this.t === this.end;
  }

  /** Judges the step that was tried; true where it is taken. */
  judge({ norm, failed }: { readonly norm: number; readonly failed: number }): boolean {
    const tried = this.h;
    if (failed > 0 && Math.abs(tried) > SMALLEST * Math.abs(this.#span)) {
      this.#try(tried * SHRINK);
      this.#afterRejection = true;
      return false;
    }
    const error = Math.max(norm, 1e-10);
    if (error > 1) {
      this.#try(tried * Math.max(SHRINK, SAFETY * error ** -(1 / 5)));
      this.#afterRejection = true;
      return false;
    }
    this.t = tried === this.end - this.t ? this.end : this.t + tried;
    const most = this.#afterRejection ? 1 : GROW;
    this.#try(tried * Math.min(most, Math.max(SHRINK, SAFETY * error ** -NOW * this.#before ** BEFORE)));
    this.#before = Math.max(error, 1e-4);
    this.#afterRejection = false;
    return true;
  }

  /** Takes what is left where it is about a step, and half of it where it is less than two, so that no sliver remains. */
  #try(h: number): void {
    const left = this.end - this.t;
    const size = Math.abs(h / left);
    this.h = size > 0.99 ? left : size > 0.5 ? left / 2 : h;
  }
}
