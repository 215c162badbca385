import { PASSES, SCALE_NUMBER } from '../../src/kernels/affine.js';
import * as source from '../../src/kernels/generated/affine-backward.js';
import { moveAffine, type ScaleConstants } from './affine-scale.js';
import { TILE, tiled } from './layout.js';
import { sigmoid, softplus } from './math.js';
import { defineTwin } from './twin.js';

/** d log a / d u. */
function logScaleSlope({ SCALE, EPS, OFFSET, LOW, HIGH }: ScaleConstants, u: number): number {
  switch (SCALE) {
    case SCALE_NUMBER.softplus:
      return sigmoid(u) / (softplus(u) + EPS);
    case SCALE_NUMBER.sigmoid:
      return (sigmoid(u + OFFSET) * sigmoid(-u - OFFSET)) / (sigmoid(u + OFFSET) + EPS);
    case SCALE_NUMBER['softplus-clamped']:
      return softplus(u) + EPS > HIGH ? 0 : sigmoid(u) / (softplus(u) + EPS);
    case SCALE_NUMBER.softclip:
      return 1 / (1 + Math.abs(u / HIGH)) ** 2;
    case SCALE_NUMBER['reciprocal-sigmoid']:
      return -sigmoid(-u - OFFSET);
    case SCALE_NUMBER.tanh:
      return HIGH / Math.cosh(u) ** 2;
    case SCALE_NUMBER.clamp:
      return u < LOW || u > HIGH ? 0 : 1;
    default:
      return 1;
  }
}

/** Gradients by x, t and u. @param dLog gradient by the log-det. */
export function turnBack(
  constants: ScaleConstants,
  x: number,
  t: number,
  u: number,
  gradient: number,
  dLog: number,
): readonly [x: number, shift: number, scale: number] {
  const { UNDO, SCALE, MIX, BACK } = constants;
  if (SCALE === SCALE_NUMBER.none) return [gradient, MIX * (UNDO ? -gradient : gradient), 0];
  const [value, logDet] = moveAffine(constants, x, t, u);
  const passed = gradient * Math.exp(logDet);
  if (MIX < 1) {
    const plain = moveAffine({ ...constants, MIX: 1, UNDO: false }, 0, 0, u)[1]; // log a
    const divides = UNDO !== BACK;
    const share = MIX * Math.exp(divides ? -plain : plain);
    const q = share / (1 - MIX + share);
    const [shift, log] = BACK
      ? divides
        ? [q * gradient, q * (t * passed - value * gradient - dLog)]
        : [-MIX * passed, -q * (value * gradient + dLog)]
      : divides
        ? [-q * passed, q * ((x - t) * passed + dLog)]
        : [MIX * gradient, q * (x * passed + dLog)];
    return [passed, shift, (divides ? -log : log) * logScaleSlope(constants, u)];
  }
  const log = UNDO ? -value * gradient - dLog : x * passed + dLog;
  return [passed, UNDO ? -passed : gradient, log * logScaleSlope(constants, u)];
}

export const affineBackward = defineTwin(source.affineBackward, ({ buffers, params, constants, rows }) => {
  const { x, parameters, slot, d_y, d_log_terms, d_x, d_parameters } = buffers;
  const { HAS_Y, HAS_LOG_DET, SCALE, PLACED } = constants;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < params.features; f++) {
      const at = tiled(params.features, row) + f * TILE;
      const from = tiled(params.features, row) + (PLACED ? slot[params.features + f]! : f) * TILE;
      const gradient = HAS_Y ? d_y[from]! : 0;
      const j = slot[f]!;
      d_x[at] = gradient;
      if (j === PASSES) continue;
      const p = tiled(params.parameter_features, row) + j * TILE;
      const scaled = SCALE !== SCALE_NUMBER.none;
      const dLog = HAS_LOG_DET ? d_log_terms[tiled(params.slots, row) + j * TILE]! : params.log_gradient;
      const u = scaled ? parameters[p + params.slots * TILE]! : 0;
      const [dX, shift, scale] = turnBack(constants, x[at]!, parameters[p]!, u, gradient, dLog);
      d_x[at] = dX;
      d_parameters[p] = shift;
      if (scaled) d_parameters[p + params.slots * TILE] = scale;
    }
});
