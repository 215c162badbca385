import { SLOPE_NUMBER } from '../../src/kernels/activation.js';
import * as source from '../../src/kernels/generated/activation-backward.js';
import { bell, slopeFromValue, slopeOf } from './activation.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

const siluCurvature = (u: number): number => bell(u) * (2 - u * Math.tanh(u / 2));

function curvatureOf(kind: number, v: number, beta: number): number {
  switch (kind) {
    case SLOPE_NUMBER.tanh:
      return -8 * Math.tanh(v) * bell(2 * v);
    case SLOPE_NUMBER.sigmoid:
      return -Math.tanh(v / 2) * bell(v);
    case SLOPE_NUMBER.elu:
      return v < 0 ? Math.exp(v) : 0;
    case SLOPE_NUMBER.silu:
      return siluCurvature(v);
    case SLOPE_NUMBER.softplus:
      return bell(v);
    case SLOPE_NUMBER.lipswish:
      return (beta * siluCurvature(beta * v)) / 1.1;
    default:
      return 0;
  }
}

export const activationBackward = defineTwin(source.activationBackward, ({ buffers, params: { features }, constants, rows }) => {
  const { ACTIVATION, HAS_VALUE, HAS_SLOPE, HAS_BETA, ADD, FROM_VALUE } = constants;
  const b = ACTIVATION === SLOPE_NUMBER.lipswish ? buffers.beta[0]! : 1;
  for (let row = 0; row < rows; row++) {
    for (let f = 0; f < features; f++) {
      const at = tiled(features, row) + f * TILE;
      const v = buffers.source[at]!;
      const dValue = HAS_VALUE ? buffers.d_value[at]! : 0;
      const dSlope = HAS_SLOPE ? buffers.d_slope[at]! : 0;
      const slope = FROM_VALUE ? slopeFromValue(ACTIVATION, v) : slopeOf(ACTIVATION, v, b);
      const gradient = Number.isNaN(v) ? v : slope * dValue + curvatureOf(ACTIVATION, v, b) * dSlope;
      buffers.d_source[at] = (ADD ? buffers.d_source[at]! : 0) + gradient;
      if (HAS_BETA) buffers.d_beta[at] = (v * v * bell(b * v) * dValue + v * siluCurvature(b * v) * dSlope) / 1.1;
    }
  }
});
