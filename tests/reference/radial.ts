import * as source from '../../src/kernels/generated/radial.js';
import { TILE, tiled } from './layout.js';
import { softplus } from './math.js';
import { logOnePlus, parameterOf } from './tanh-solve.js';
import { defineTwin } from './twin.js';

export const radial = defineTwin(source.radial, ({ buffers: { x, parameters, y, log_det }, params, constants, rows }) => {
  const { features } = params;
  const { PER_ROW, ALPHA_SOFTPLUS, UNDO, HAS_LOG_DET } = constants;
  for (let row = 0; row < rows; row++) {
    const parameter = parameterOf(parameters, row, PER_ROW, params.parameter_features);
    const base = tiled(features, row);
    let squares = 0;
    for (let f = 0; f < features; f++) squares += (x[base + f * TILE]! - parameter(f)) ** 2;
    let alpha = parameter(features);
    let s = parameter(features + 1);
    if (PER_ROW) {
      alpha = ALPHA_SOFTPLUS ? softplus(alpha) : Math.abs(alpha);
      if (alpha < 1e-30) alpha = 1e-30;
      s = softplus(s);
    } else s += parameter(features + 2);
    const beta = PER_ROW ? s - alpha : parameter(features + 3) + parameter(features + 4);
    let r = Math.sqrt(squares);
    if (UNDO) {
      const q = r - s;
      const discriminant = Math.sqrt(q * q + 4 * r * alpha);
      r = q >= 0 ? 0.5 * (q + discriminant) : (2 * r * alpha) / (discriminant - q);
    }
    const change = UNDO ? -beta / (r + s) : beta / (r + alpha);
    for (let f = 0; f < features; f++) {
      const at = base + f * TILE;
      y[at] = change === 0 ? x[at]! : x[at]! + change * (x[at]! - parameter(f));
    }
    if (!HAS_LOG_DET) continue;
    const [h, g] = [beta / (r + alpha), alpha / (r + alpha)];
    let term = logOnePlus(h * g, (r / (r + alpha)) * (1 + g) + (s / (r + alpha)) * g);
    if (features > 1) term += (features - 1) * logOnePlus(h, (r + s) / (r + alpha));
    log_det[row] = log_det[row]! + (UNDO ? -term : term);
  }
});
