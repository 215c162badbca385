import * as source from '../../src/kernels/generated/bounded-backward.js';
import { bound, supportOf, unbound } from './bounded.js';
import { differences } from './differences.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

/** By differences of the map's own twin. */
export const boundedBackward = defineTwin(source.boundedBackward, ({ buffers, params: { features, eps }, constants, rows }) => {
  const { x, table, d_y, d_log_terms, d_x } = buffers;
  for (let f = 0; f < features; f++) {
    const feature = supportOf(table, f, features);
    for (let row = 0; row < rows; row++) {
      const at = tiled(features, row) + f * TILE;
      const by = (from: number): number => {
        const [value, logDet] = constants.UNDO ? unbound(feature, from, eps) : bound(feature, from);
        return (constants.HAS_Y ? d_y[at]! * value : 0) + (constants.HAS_LOG_DET ? d_log_terms[at]! * logDet : 0);
      };
      d_x[at] = differences((moved) => by(moved[0]!), [x[at]!])[0]!;
    }
  }
});
