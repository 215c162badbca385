import * as source from '../../src/kernels/generated/logit.js';
import { TILE, tiled } from './layout.js';
import { log, log1p, sigmoid, softplus } from './math.js';
import { defineTwin } from './twin.js';

/** Kept inside (0, 1) as the shader keeps it: the largest float32 below 1, the smallest normal one above 0. */
const inside = (value: number): number => (value > 1 - 2 ** -24 ? 1 - 2 ** -24 : value < 2 ** -126 ? 2 ** -126 : value);

export const logit = defineTwin(source.logit, ({ buffers: { x, y, log_terms }, params, constants: { UNDO, HAS_LOG_DET }, rows }) => {
  const { features, alpha, log_range } = params;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) {
      const at = tiled(features, row) + f * TILE;
      const v = x[at]!;
      if (UNDO) {
        y[at] = (inside(sigmoid(v)) - alpha) / (1 - 2 * alpha);
        if (HAS_LOG_DET) log_terms[at] = -softplus(v) - softplus(-v) - log_range;
        continue;
      }
      const unit = alpha + (1 - 2 * alpha) * v;
      const held = inside(unit);
      y[at] = log(held) - log1p(-held);
      if (HAS_LOG_DET) log_terms[at] = unit <= 0 || unit >= 1 ? Number.NEGATIVE_INFINITY : log_range - log(held) - log1p(-held);
    }
});
