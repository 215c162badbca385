import { PASSES } from '../../src/kernels/affine.js';
import * as source from '../../src/kernels/generated/spline.js';
import { TILE, tiled } from './layout.js';
import { moveSpline } from './move-spline.js';
import { defineTwin } from './twin.js';

export const spline = defineTwin(source.spline, ({ buffers: { x, parameters, slot, y, log_terms }, params, constants, rows }) => {
  for (let row = 0; row < rows; row++) {
    for (let f = 0; f < params.features; f++) {
      const at = tiled(params.features, row) + f * TILE;
      const j = slot[f]!;
      if (j === PASSES) {
        y[at] = x[at]!;
        continue;
      }
      const parameter = (p: number) =>
        constants.SHARED
          ? parameters[4 * (p * params.slots + j)]!
          : parameters[tiled(params.parameter_features, row) + (p * params.slots + j) * TILE]!;
      const [value, logDet] = moveSpline(constants, x[at]!, parameter);
      y[at] = value;
      if (constants.HAS_LOG_DET) log_terms[tiled(params.slots, row) + j * TILE] = logDet;
    }
  }
});
