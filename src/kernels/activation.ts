/** Activations by name; numbers as in shaders/lib/activation.wgsl. `leaky_relu` has slope 0.01, `elu` alpha 1. */
export const ACTIVATION_NUMBER = { identity: 0, relu: 1, tanh: 2, sigmoid: 3, elu: 4, leaky_relu: 5, silu: 6, softplus: 7 } as const;

export type Activation = keyof typeof ACTIVATION_NUMBER;
