// Twin of shaders/lib/activation.wgsl.

import { ACTIVATION_NUMBER } from '../../src/kernels/activation.js';
import { sigmoid, softplus } from './math.js';

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
