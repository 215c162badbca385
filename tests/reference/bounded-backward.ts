import { SUPPORT_NUMBER } from '../../src/kernels/bounded.js';
import * as kernels from '../../src/kernels/generated/bounded-backward.js';
import { bound, supportOf, unbound } from './bounded.js';
import { differences } from './differences.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

/** By differences of the map's own twin. */
export const boundedBackward = defineTwin(kernels.boundedBackward, ({ buffers, params: { features, eps }, constants, rows }) => {
  const { source: x, table, d_y, d_log_terms, d_x } = buffers;
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

/** By differences of the twin as well, of both numbers that k makes. */
export const boundedGradient = defineTwin(kernels.boundedGradient, ({ buffers, params: { features, eps }, constants, rows }) => {
  const { line, table, d_y, d_log_terms, d_table } = buffers;
  for (let f = 0; f < features; f++) {
    const feature = supportOf(table, f, features);
    if (feature.kind !== SUPPORT_NUMBER.interval) continue;
    for (let row = 0; row < rows; row++) {
      const at = tiled(features, row) + f * TILE;
      const x = constants.UNDO ? bound(feature, line[at]!)[0] : line[at]!;
      const by = (k: number): number => {
        const moved = { ...feature, k, logK: Math.log(k) };
        const [value, logDet] = constants.UNDO ? unbound(moved, x, eps) : bound(moved, x);
        return (constants.HAS_Y ? d_y[at]! * value : 0) + (constants.HAS_LOG_DET ? d_log_terms[at]! * logDet : 0);
      };
      d_table[3 * features + f]! += differences((moved) => by(moved[0]!), [feature.k])[0]!;
    }
  }
});

export const supportTable = defineTwin(kernels.supportTable, ({ buffers: { raw, made }, params: { features } }) => {
  for (let i = 0; i < 6 * features; i++)
    made[i] = i >= 5 * features && raw[i - 5 * features] === SUPPORT_NUMBER.interval ? Math.log(raw[i]!) : raw[i]!;
});

export const supportTableBackward = defineTwin(kernels.supportTableBackward, ({ buffers: { d_made, d_raw }, params: { features } }) => {
  for (let i = 0; i < 6 * features; i++) d_raw[i]! += d_made[i]!;
});
