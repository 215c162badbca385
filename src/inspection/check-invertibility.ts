import type { ContextOption, Flow } from '../flows/flow.js';
import { findSaturation } from './saturation.js';

export interface InvertibilityReport {
  readonly rows: number;
  /** max |x' − x| / (1 + |x|) over all numbers, x' = inverse(forward(x)); Infinity where a finite x came back as no number. */
  readonly maxError: number;
  /** The same, averaged. */
  readonly meanError: number;
  /** Row of the largest error. */
  readonly worstRow: number;
  /** max |logDet forward + logDet inverse| / (1 + |logDet|), nats. */
  readonly maxLogDetError: number;
  /** What may explain an error: log-dets beyond ±100, scales at their bounds. Sentences with a place. */
  readonly warnings: readonly string[];
}

/** The larger of two errors; NaN counts as infinite. */
export const worseOf = (a: number, b: number): number => (b > a ? b : Number.isNaN(b) ? Number.POSITIVE_INFINITY : a);

/**
 * Maps x [n, D] to z and back.
 *
 * ```ts
 * const report = await checkInvertibility(flow, x);
 * if (report.maxError > 1e-4) console.warn(report);
 * ```
 *
 * Errors of 1e-6 to 1e-4 are rounding that the flow's own stretching magnifies; more says that the flow is not invertible in float32 there.
 *
 * @throws ShapeError, ValueError as `flow.forward` does.
 */
export async function checkInvertibility(flow: Flow, x: Float32Array, options: ContextOption = {}): Promise<InvertibilityReport> {
  const forward = await flow.forward(x, options);
  const inverse = await flow.inverse(forward.z, options);
  const { dim } = flow;
  let [maxError, sum, worstRow, maxLogDetError] = [0, 0, 0, 0];
  for (const [at, value] of x.entries()) {
    if (!Number.isFinite(value)) continue;
    const error = Math.abs(inverse.x[at]! - value) / (1 + Math.abs(value));
    sum += error;
    if (worseOf(maxError, error) > maxError) {
      maxError = worseOf(maxError, error);
      worstRow = Math.floor(at / dim);
    }
  }
  for (const [row, value] of forward.logDet.entries()) {
    if (x.subarray(row * dim, (row + 1) * dim).some((entry) => !Number.isFinite(entry))) continue;
    maxLogDetError = worseOf(maxLogDetError, Math.abs(value + inverse.logDet[row]!) / (1 + Math.abs(value)));
  }
  const warnings = await findSaturation(flow, x, forward.logDet, options);
  return { rows: x.length / dim, maxError, meanError: x.length > 0 ? sum / x.length : 0, worstRow, maxLogDetError, warnings };
}
