import type { Recorder } from '../runtime/recorder.js';
import { NONE, type TiledTensor } from '../runtime/tensor.js';
import * as source from './generated/activation.js';
import { featureKernel } from './geometry.js';

/** Activations by name; numbers as in shaders/lib/activation.wgsl. `leaky_relu` has slope 0.01, `elu` alpha 1. */
export const ACTIVATION_NUMBER = { identity: 0, relu: 1, tanh: 2, sigmoid: 3, elu: 4, leaky_relu: 5, silu: 6, softplus: 7 } as const;

export type Activation = keyof typeof ACTIVATION_NUMBER;

/** Those that the activation kernel has besides: `lipswish` has a parameter of its own, so no linear layer ends with it. */
export const SLOPE_NUMBER = { ...ACTIVATION_NUMBER, lipswish: 8 } as const;

/** Those whose slope follows from their value. */
export const VALUE_NUMBER = { relu: 1, tanh: 2, sigmoid: 3, elu: 4, leaky_relu: 5, softplus: 7 } as const;

export const activation = /*#__PURE__*/ featureKernel(source.activation);

/** Records value = activation(source). @param kind one of ACTIVATION_NUMBER. */
export function recordActivation(r: Recorder, kind: number, source: TiledTensor, value: TiledTensor): void {
  r.run(activation, {
    buffers: { source, value, slope: r.tiled(1, 'unused'), beta: NONE },
    params: { features: source.features },
    constants: { ACTIVATION: kind, HAS_VALUE: true, HAS_SLOPE: false },
  });
}
