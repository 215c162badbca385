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

export const affineBackward = defineTwin(source.affineBackward, ({ buffers, params, constants, rows }) => {
  const { x, parameters, slot, d_y, d_log_terms, d_x, d_parameters } = buffers;
  const { UNDO, HAS_Y, HAS_LOG_DET, SCALE, MIX, BACK, PLACED } = constants;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < params.features; f++) {
      const at = tiled(params.features, row) + f * TILE;
      const from = tiled(params.features, row) + (PLACED ? slot[params.features + f]! : f) * TILE;
      const gradient = HAS_Y ? d_y[from]! : 0;
      const j = slot[f]!;
      d_x[at] = gradient;
      if (j === PASSES) continue;
      const p = tiled(params.parameter_features, row) + j * TILE;
      if (SCALE === SCALE_NUMBER.none) {
        d_parameters[p] = MIX * (UNDO ? -gradient : gradient);
        continue;
      }
      const u = parameters[p + params.slots * TILE]!;
      const dLog = HAS_LOG_DET ? d_log_terms[tiled(params.slots, row) + j * TILE]! : 0;
      const [value, logDet] = moveAffine(constants, x[at]!, parameters[p]!, u);
      const passed = gradient * Math.exp(logDet);
      d_x[at] = passed;
      if (MIX < 1) {
        const t = parameters[p]!;
        const plain = moveAffine({ ...constants, MIX: 1, UNDO: false }, 0, 0, u)[1]; // log a
        const divides = UNDO !== BACK;
        const share = MIX * Math.exp(divides ? -plain : plain);
        const q = share / (1 - MIX + share);
        const [shift, log] = BACK
          ? divides
            ? [q * gradient, q * (t * passed - value * gradient - dLog)]
            : [-MIX * passed, -q * (value * gradient + dLog)]
          : divides
            ? [-q * passed, q * ((x[at]! - t) * passed + dLog)]
            : [MIX * gradient, q * (x[at]! * passed + dLog)];
        d_parameters[p] = shift;
        d_parameters[p + params.slots * TILE] = (divides ? -log : log) * logScaleSlope(constants, u);
        continue;
      }
      d_parameters[p] = UNDO ? -passed : gradient;
      d_parameters[p + params.slots * TILE] = (UNDO ? -value * gradient - dLog : x[at]! * passed + dLog) * logScaleSlope(constants, u);
    }
});
