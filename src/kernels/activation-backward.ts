import type { Recorder } from '../runtime/recorder.js';
import { NONE, type TiledTensor } from '../runtime/tensor.js';
import { activation } from './activation.js';
import * as source from './generated/activation-backward.js';
import { featureKernel } from './geometry.js';

export const activationBackward = /*#__PURE__*/ featureKernel(source.activationBackward);

/** Those whose slope follows from their value. */
export const VALUE_NUMBER = { relu: 1, tanh: 2, sigmoid: 3, elu: 4, leaky_relu: 5, softplus: 7 } as const;

/** Records value = activation(source). @param kind one of ACTIVATION_NUMBER. */
export function recordActivation(r: Recorder, kind: number, source: TiledTensor, value: TiledTensor): void {
  r.run(activation, {
    buffers: { source, value, slope: r.tiled(1, 'unused'), beta: NONE },
    params: { features: source.features },
    constants: { ACTIVATION: kind, HAS_VALUE: true, HAS_SLOPE: false },
  });
}
