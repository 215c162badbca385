import * as source from '../../src/kernels/generated/planar.js';
import { TILE, tiled } from './layout.js';
import { softplus } from './math.js';
import { logOnePlus, parameterOf, solveTanh, tanhSlope } from './tanh-solve.js';
import { defineTwin } from './twin.js';

export const planar = defineTwin(source.planar, ({ buffers: { x, parameters, y, log_det }, params, constants, rows }) => {
  const { features } = params;
  const { PER_ROW, LEAKY, UNDO, HAS_LOG_DET } = constants;
  for (let row = 0; row < rows; row++) {
    const parameter = parameterOf(parameters, row, PER_ROW, params.parameter_features);
    const base = tiled(features, row);
    let [wx, wu, ww] = [0, 0, 0];
    for (let f = 0; f < features; f++) {
      const w = parameter(1 + features + f);
      wx += w * x[base + f * TILE]!;
      wu += w * parameter(1 + f);
      ww += w * w;
    }
    const derived = (i: number) => parameter(1 + 2 * features + i) + parameter(2 + 2 * features + i);
    const s = PER_ROW ? (ww === 0 ? 1 : softplus(wu)) : derived(4);
    const c = PER_ROW ? s - 1 : derived(2);
    const k = PER_ROW ? (ww === 0 ? 0 : (c - wu) / ww) : derived(0);
    let v = wx + parameter(0);
    const slope = LEAKY ? (v < 0 ? params.negative_slope : 1) : 0;
    if (UNDO) v = LEAKY ? v / (1 - slope + slope * s) : solveTanh(c, s, v);
    const t = LEAKY ? slope * v : Math.tanh(v);
    const change = UNDO ? -t : t;
    for (let f = 0; f < features; f++) {
      const at = base + f * TILE;
      y[at] = x[at]! + (parameter(1 + f) + k * parameter(1 + features + f)) * change;
    }
    if (!HAS_LOG_DET) continue;
    const steepness = LEAKY ? slope : tanhSlope(v);
    const term = logOnePlus(c * steepness, (LEAKY ? 1 - slope : t * t) + s * steepness);
    log_det[row] = log_det[row]! + (UNDO ? -term : term);
  }
});
