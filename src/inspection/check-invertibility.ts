import type { ContextOption, Flow } from '../flows/flow.js';
import { loadLater } from '../load-later.js';

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
  const { roundTrip } = await loadLater();
  return roundTrip(flow, x, options);
}
