// What is trained: two flows with their data and their initial weights as plain arrays, so that every library starts from the same numbers.

import { drawToy, toys } from '../../examples/data/toys.js';
import { uniformGenerator } from '../../src/flows/recipes/initial.js';
import { type Flow, type Gpu, maf, realNVP } from '../../src/index.js';
import { normalGenerator } from '../src/normal.js';

/** y = x (weight ⊙ mask) + bias, over rows. */
export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** [inputs, outputs], as the other libraries keep it. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  /** Of MADE, 1 where a weight is open. */
  readonly mask: Float32Array | null;
}

/**
 * 'coupling': two features; of layer l the feature l mod 2 feeds the network, whose outputs (shift, u) move the other: z = x e^(2 tanh u) + shift.
 * 'autoregressive': the features are reversed in front of every layer but the first; the halves of the network's outputs are (mu, s) and
 * z = (x − mu) e^−s. ReLU between linear layers, z ~ N(0, I).
 */
export type Kind = 'coupling' | 'autoregressive';

export interface Problem {
  readonly name: string;
  readonly kind: Kind;
  readonly dim: number;
  readonly batch: number;
  readonly learningRate: number;
  /** [batch, dim], all that there is: every step takes every row. */
  readonly data: Float32Array;
  readonly networks: readonly (readonly Layer[])[];
}

export interface Setting extends Omit<Problem, 'networks' | 'data'> {
  readonly layers: number;
  readonly draw: (rows: number) => Float32Array;
  readonly build: (gpu: Gpu) => Promise<Flow>;
}

/** Neighbours that depend on each other, in a curve: x₀ = n₀, xᵢ = sin(2 xᵢ₋₁) + nᵢ / 2. */
function drawChain(rows: number, dim: number): Float32Array {
  const normal = normalGenerator(uniformGenerator(1));
  const data = new Float32Array(rows * dim);
  for (let i = 0; i < data.length; i++) data[i] = i % dim === 0 ? normal() : Math.sin(2 * data[i - 1]!) + normal() / 2;
  return data;
}

export const settings: readonly Setting[] = [
  {
    name: 'RealNVP, D 2, 6 layers, hidden 64 × 64, batch 512',
    kind: 'coupling',
    dim: 2,
    layers: 6,
    batch: 512,
    learningRate: 0.001,
    draw: (rows) => drawToy(toys[0]!, rows, 1),
    build: (gpu) => realNVP(gpu, { dim: 2, layers: 6, hidden: [64, 64], seed: 1 }),
  },
  {
    name: 'MAF, D 21, 5 layers, hidden 128 × 128, batch 256',
    kind: 'autoregressive',
    dim: 21,
    layers: 5,
    batch: 256,
    learningRate: 0.001,
    draw: (rows) => drawChain(rows, 21),
    build: (gpu) => maf(gpu, { dim: 21, layers: 5, hidden: [128, 128], seed: 1 }),
  },
];

/** A flow's linear layers, with the weights turned round. A recipe's weight behind a mask is 0, and no other is. */
export async function problemOf({ layers, draw, ...setting }: Setting, flow: Flow): Promise<Problem> {
  const parameters = await flow.parameters();
  const networks = Array.from({ length: layers }, (_, layer) => {
    const network: Layer[] = [];
    for (let index = 0; ; index++) {
      const name = `layers.${layer}.net.${index}`;
      const stored = parameters[`${name}.weight`];
      if (!stored) return network;
      const [outputs, inputs] = stored.shape as [number, number];
      const weight = new Float32Array(inputs * outputs);
      for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) weight[i * outputs + o] = stored.data[o * inputs + i]!;
      const mask = setting.kind === 'autoregressive' ? weight.map((value) => (value === 0 ? 0 : 1)) : null;
      network.push({ inputs, outputs, weight, bias: parameters[`${name}.bias`]!.data, mask });
    }
  });
  const { name, kind, dim, batch, learningRate } = setting;
  return { name, kind, dim, batch, learningRate, data: draw(batch), networks };
}
