import type { ContextOption, Flow } from '../flows/flow.js';
import { loadLater } from '../load-later.js';
import { ValueError } from '../runtime/errors.js';

export interface LogDetReport {
  readonly rows: number;
  /** max |logDet − numerical| / (1 + |numerical|) over the rows that count, nats. */
  readonly maxError: number;
  readonly worstRow: number;
  /**
   * What the numerical Jacobian of those rows is uncertain by, in the same measure: the largest change of its log-det between the two
   * steps. An error below a few times this says nothing against the flow.
   */
  readonly uncertainty: number;
  /** Rows left out, since the two steps disagree by more than 0.2 %: a kink of a ReLU lies between, or float32 has no digits left. */
  readonly uncertainRows: number;
  /** log|det| of the numerical Jacobian, [n] nats, of every row. */
  readonly numerical: Float64Array;
  readonly warnings: readonly string[];
}

export interface LogDetOptions extends ContextOption {
  /** Step of the central differences, relative to max(1, |x|). Default 0.004: between float32's rounding and a ReLU net's kinks. */
  readonly step?: number;
}

/**
 * Compares the log-det of forward at x [n, D] with that of a numerical Jacobian: central differences with steps h and 2h, extrapolated
 * (Richardson; error h⁴), in 4 D evaluations a row. Needs x a few steps inside the flow's support.
 *
 * ```ts
 * const { maxError, uncertainty } = await checkLogDet(flow, x.subarray(0, 10 * flow.dim));
 * ```
 *
 * @throws ShapeError, ValueError as `flow.forward` does, and for a step that is not positive.
 */
export async function checkLogDet(flow: Flow, x: Float32Array, options: LogDetOptions = {}): Promise<LogDetReport> {
  const { step = 0.004, ...rest } = options;
  if (!(step > 0)) throw new ValueError('checkLogDet: step', 'a positive number', String(step));
  const { compareLogDets } = await loadLater();
  return compareLogDets(flow, x, step, rest);
}
