// Twins of shaders/lib/activation.wgsl and of shaders/activation.wgsl.

import { ACTIVATION_NUMBER, SLOPE_NUMBER } from '../../src/kernels/activation.js';
import * as source from '../../src/kernels/generated/activation.js';
import { TILE, tiled } from './layout.js';
import { sigmoid, softplus } from './math.js';
import { defineTwin } from './twin.js';

export function activate(kind: number, v: number): number {
  switch (kind) {
    case ACTIVATION_NUMBER.relu:
      return v < 0 ? 0 : v;
    case ACTIVATION_NUMBER.tanh:
      return Math.tanh(v);
    case ACTIVATION_NUMBER.sigmoid:
      return sigmoid(v);
    case ACTIVATION_NUMBER.elu:
      return v < 0 ? Math.expm1(v) : v;
    case ACTIVATION_NUMBER.leaky_relu:
      return v < 0 ? 0.01 * v : v;
    case ACTIVATION_NUMBER.silu:
      return v * sigmoid(v);
    case ACTIVATION_NUMBER.softplus:
      return softplus(v);
    default:
      return v;
  }
}

/** sigmoid(v) (1 − sigmoid(v)). */
export function bell(v: number): number {
  const e = Math.exp(-Math.abs(v));
  return e / (1 + e) ** 2;
}

export function slopeOf(kind: number, v: number, beta: number): number {
  switch (kind) {
    case SLOPE_NUMBER.relu:
      return v < 0 ? 0 : 1;
    case SLOPE_NUMBER.tanh:
      return 4 * bell(2 * v);
    case SLOPE_NUMBER.sigmoid:
      return bell(v);
    case SLOPE_NUMBER.elu:
      return v < 0 ? Math.exp(v) : 1;
    case SLOPE_NUMBER.leaky_relu:
      return v < 0 ? 0.01 : 1;
    case SLOPE_NUMBER.silu:
      return sigmoid(v) + v * bell(v);
    case SLOPE_NUMBER.softplus:
      return sigmoid(v);
    case SLOPE_NUMBER.lipswish:
      return (sigmoid(beta * v) + beta * v * bell(beta * v)) / 1.1;
    default:
      return 1;
  }
}

export const activation = defineTwin(source.activation, ({ buffers: { source: from, value, slope, beta }, params, constants, rows }) => {
  const { ACTIVATION, HAS_VALUE, HAS_SLOPE } = constants;
  const b = ACTIVATION === SLOPE_NUMBER.lipswish ? beta[0]! : 1;
  for (let row = 0; row < rows; row++) {
    for (let f = 0; f < params.features; f++) {
      const at = tiled(params.features, row) + f * TILE;
      const v = from[at]!;
      if (HAS_VALUE) value[at] = ACTIVATION === SLOPE_NUMBER.lipswish ? (v * sigmoid(b * v)) / 1.1 : activate(ACTIVATION, v);
      if (HAS_SLOPE) slope[at] = Number.isNaN(v) ? v : slopeOf(ACTIVATION, v, b);
    }
  }
});

/** From the value of an activation; NaN where that is. */
export function slopeFromValue(kind: number, y: number): number {
  if (Number.isNaN(y)) return y;
  switch (kind) {
    case SLOPE_NUMBER.relu:
      return y > 0 ? 1 : 0;
    case SLOPE_NUMBER.tanh:
      return 1 - y * y;
    case SLOPE_NUMBER.sigmoid:
      return y * (1 - y);
    case SLOPE_NUMBER.elu:
      return y < 0 ? 1 + y : 1;
    case SLOPE_NUMBER.leaky_relu:
      return y < 0 ? 0.01 : 1;
    case SLOPE_NUMBER.softplus:
      return -Math.expm1(-y);
    default:
      return 1;
  }
}
