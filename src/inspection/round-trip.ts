// What checkInvertibility measures, loaded when it is asked for.

import type { ContextOption, Flow } from '../flows/flow.js';
import type { InvertibilityReport } from './check-invertibility.js';
import { findSaturation } from './saturation.js';

/** The larger of two errors; NaN counts as infinite. */
export const worseOf = (a: number, b: number): number => (b > a ? b : Number.isNaN(b) ? Number.POSITIVE_INFINITY : a);

/** Maps x to z and back. */
export async function roundTrip(flow: Flow, x: Float32Array, options: ContextOption): Promise<InvertibilityReport> {
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
