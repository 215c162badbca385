import * as source from './generated/activation.js';
import { featureKernel } from './geometry.js';

/** Activations by name; numbers as in shaders/lib/activation.wgsl. `leaky_relu` has slope 0.01, `elu` alpha 1. */
export const ACTIVATION_NUMBER = { identity: 0, relu: 1, tanh: 2, sigmoid: 3, elu: 4, leaky_relu: 5, silu: 6, softplus: 7 } as const;

export type Activation = keyof typeof ACTIVATION_NUMBER;

/** Those that the activation kernel has besides: `lipswish` has a parameter of its own, so no linear layer ends with it. */
export const SLOPE_NUMBER = { ...ACTIVATION_NUMBER, lipswish: 8 } as const;

export const activation = /*#__PURE__*/ featureKernel(source.activation);
