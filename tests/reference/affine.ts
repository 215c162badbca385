import { PASSES } from '../../src/kernels/affine.js';
import * as source from '../../src/kernels/generated/affine.js';
import { moveAffine } from './affine-scale.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const affine = defineTwin(source.affine, ({ buffers: { x, parameters, slot, y, log_terms }, params, constants, rows }) => {
  for (let row = 0; row < rows; row++) {
    for (let f = 0; f < params.features; f++) {
      const at = tiled(params.features, row) + f * TILE;
      const to = tiled(params.features, row) + (constants.PLACED ? slot[params.features + f]! : f) * TILE;
      const j = slot[f]!;
      if (j === PASSES) {
        y[to] = x[at]!;
        continue;
      }
      const p = tiled(params.parameter_features, row) + j * TILE;
      const u = constants.SCALE === 0 ? 0 : parameters[p + params.slots * TILE]!;
      const [value, logDet] = moveAffine(constants, x[at]!, parameters[p]!, u);
      y[to] = value;
      if (constants.HAS_LOG_DET) log_terms[tiled(params.slots, row) + j * TILE] = logDet;
    }
  }
});
