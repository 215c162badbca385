import * as source from '../../src/kernels/generated/radial.js';
import { softplus } from './math.js';
import { type MoveRow, runRowLayer } from './row-layer.js';
import { logOnePlus } from './tanh-solve.js';
import { defineTwin } from './twin.js';

interface Settings {
  readonly ALPHA_SOFTPLUS: boolean;
  readonly UNDO: boolean;
}

/** One row. @param derived α, s and β̂ of a table; derived from the parameters where left out. */
export const moveRadial =
  ({ ALPHA_SOFTPLUS, UNDO }: Settings, derived?: readonly number[]): MoveRow =>
  (x, parameter) => {
    const features = x.length;
    let squares = 0;
    for (let f = 0; f < features; f++) squares += (x[f]! - parameter(f)) ** 2;
    const raw = parameter(features);
    const alpha = derived?.[0] ?? Math.max(ALPHA_SOFTPLUS ? softplus(raw) : Math.abs(raw), 1e-30);
    const s = derived?.[1] ?? softplus(parameter(features + 1));
    const beta = derived?.[2] ?? s - alpha;
    let r = Math.sqrt(squares);
    if (UNDO) {
      const q = r - s;
      const discriminant = Math.sqrt(q * q + 4 * r * alpha);
      r = q >= 0 ? 0.5 * (q + discriminant) : (2 * r * alpha) / (discriminant - q);
    }
    const change = UNDO ? -beta / (r + s) : beta / (r + alpha);
    const [h, g] = [beta / (r + alpha), alpha / (r + alpha)];
    let term = logOnePlus(h * g, (r / (r + alpha)) * (1 + g) + (s / (r + alpha)) * g);
    if (features > 1) term += (features - 1) * logOnePlus(h, (r + s) / (r + alpha));
    return {
      y: Float64Array.from(x, (value, f) => (change === 0 ? value : value + change * (value - parameter(f)))),
      logDet: UNDO ? -term : term,
    };
  };

export const radial = defineTwin(source.radial, ({ buffers: { x, parameters, y, log_det }, params, constants, rows }) => {
  const { features, parameter_features } = params;
  const { PER_ROW, HAS_LOG_DET } = constants;
  const entry = (i: number) => parameters[4 * (features + i)]!;
  const move = moveRadial(constants, PER_ROW ? undefined : [entry(0), entry(1) + entry(2), entry(3) + entry(4)]);
  runRowLayer({ rows, features, x, y, parameters, parameter_features, PER_ROW, log_det: HAS_LOG_DET ? log_det : null }, move);
});
