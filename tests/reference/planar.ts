import * as source from '../../src/kernels/generated/planar.js';
import { softplus } from './math.js';
import { type MoveRow, runRowLayer } from './row-layer.js';
import { logOnePlus, solveTanh, tanhSlope } from './tanh-solve.js';
import { defineTwin } from './twin.js';

interface Settings {
  readonly LEAKY: boolean;
  readonly UNDO: boolean;
  readonly negative_slope: number;
}

/** One row. @param derived k, c, s of a table; derived from the parameters where left out. */
export const movePlanar =
  ({ LEAKY, UNDO, negative_slope }: Settings, derived?: readonly number[]): MoveRow =>
  (x, parameter) => {
    const features = x.length;
    let [wx, wu, ww] = [0, 0, 0];
    for (let f = 0; f < features; f++) {
      const w = parameter(1 + features + f);
      wx += w * x[f]!;
      wu += w * parameter(1 + f);
      ww += w * w;
    }
    const s = derived?.[2] ?? (ww === 0 ? 1 : softplus(wu));
    const c = derived?.[1] ?? s - 1;
    const k = derived?.[0] ?? (ww === 0 ? 0 : (c - wu) / ww);
    let v = wx + parameter(0);
    const slope = LEAKY ? (v < 0 ? negative_slope : 1) : 0;
    if (UNDO) v = LEAKY ? v / (1 - slope + slope * s) : solveTanh(c, s, v);
    const t = LEAKY ? slope * v : Math.tanh(v);
    const change = UNDO ? -t : t;
    const steepness = LEAKY ? slope : tanhSlope(v);
    const term = logOnePlus(c * steepness, (LEAKY ? 1 - slope : t * t) + s * steepness);
    return {
      y: Float64Array.from(x, (value, f) => value + (parameter(1 + f) + k * parameter(1 + features + f)) * change),
      logDet: UNDO ? -term : term,
    };
  };

export const planar = defineTwin(source.planar, ({ buffers: { x, parameters, y, log_det }, params, constants, rows }) => {
  const { features, parameter_features } = params;
  const { PER_ROW, HAS_LOG_DET } = constants;
  const derived = [0, 2, 4].map((i) => parameters[4 * (1 + 2 * features + i)]! + parameters[4 * (2 + 2 * features + i)]!);
  const move = movePlanar({ ...constants, ...params }, PER_ROW ? undefined : derived);
  runRowLayer({ rows, features, x, y, parameters, parameter_features, PER_ROW, log_det: HAS_LOG_DET ? log_det : null }, move);
});
