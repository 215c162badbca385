// Spectral norms on the host, in float64: what makes a network a contraction.

import type { MlpActivation, MlpLayer } from './tangents.js';

/** sup |act'|: swish has 1.09984 at beta v = 2.3994, whatever beta, and LipSwish is that over 1.1. */
const LIPSCHITZ: Record<MlpActivation, number> = {
  identity: 1,
  relu: 1,
  tanh: 1,
  sigmoid: 0.25,
  elu: 1,
  leaky_relu: 1,
  silu: 1.09984,
  softplus: 1,
  lipswish: 1.09984 / 1.1,
};

/** A relative change of the norm below this ends the iteration. */
const CONVERGED = 1e-12;
const ITERATIONS = 5000;
/**
 * On top of a norm that was iterated to from below. A direction whose singular value is less by a share e fades by 4 e an iteration, so one
 * that is still there after 5000 hides at most 1 / (4 · 5000 · 2.718) = 2e-5 of the norm.
 */
const MARGIN = 1e-4;

/** Largest singular value of a row-major [outputs, inputs] matrix and its unit vectors, norm = u · W v. */
export interface Singular {
  readonly norm: number;
  readonly u: Float64Array;
  readonly v: Float64Array;
}

/** By power iterations from a fixed start: the norm to 2e-5, from below. */
export function leadingSingular(weight: ArrayLike<number>, outputs: number, inputs: number): Singular {
  let v = Float64Array.from({ length: inputs }, (_, i) => 1 + 0.5 * Math.sin(12.9898 * (i + 1)));
  const u = new Float64Array(outputs);
  let before = 0;
  for (let iteration = 0; ; iteration++) {
    const next = new Float64Array(inputs);
    const length = Math.hypot(...v) || 1;
    v = v.map((value) => value / length);
    for (let o = 0; o < outputs; o++) {
      const row = o * inputs;
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += weight[row + i]! * v[i]!;
      u[o] = sum;
      for (let i = 0; i < inputs; i++) next[i]! += weight[row + i]! * sum;
    }
    const norm = Math.hypot(...u);
    if (!(norm > 0) || norm - before <= CONVERGED * norm || iteration === ITERATIONS)
      return { norm, u: u.map((value) => value / (norm || 1)), v };
    before = norm;
    v = next;
  }
}

/** Largest singular value of a row-major [outputs, inputs] matrix, to 2e-5, from below. */
export const spectralNorm = (weight: ArrayLike<number>, outputs: number, inputs: number): number =>
  leadingSingular(weight, outputs, inputs).norm;

const bounded = (layers: readonly MlpLayer[], normOf: (layer: MlpLayer) => number): number =>
  layers.reduce((product, layer) => product * normOf(layer) * (1 + MARGIN) * LIPSCHITZ[layer.activation], 1);

/** Upper bound of the network's Lipschitz constant: the norms of its layers as they are, a margin on top of each, times those of its activations. */
export const lipschitzBound = (layers: readonly MlpLayer[]): number =>
  bounded(layers, ({ weight, outputs, inputs }) => spectralNorm(weight, outputs, inputs));

/** The same by what its layers are held to, whatever their weights become; `free` where that is nothing, or no contraction. */
export const heldBound = (layers: readonly MlpLayer[], free: number): number => {
  const bound = bounded(layers, (layer) => layer.bound ?? Number.POSITIVE_INFINITY);
  return bound < 1 ? bound : free;
};
