// Fresh weights for the recipes, as torch.nn.Linear draws them: uniform in ±1 / sqrt(inputs). Seeded, and the same on every machine.

import type { BaseDescription, OpDescription } from '../../format/description.js';
import type { StoredTensor } from '../../format/safetensors.js';
import { ValueError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import { buildFlow } from '../build/flow.js';
import type { OpBuilders } from '../build/op.js';
import type { Flow } from '../flow.js';

/** mulberry32: 32 bits of state, good enough to draw initial weights. */
export function uniformGenerator(seed: number): () => number {
  let state = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface RecipeOptions {
  /** D. */
  readonly dim: number;
  /** Bijectors with a network. Default 5. */
  readonly layers?: number;
  /** Widths of the hidden layers of each network. Default [64, 64]. */
  readonly hidden?: readonly number[];
  /** C. Default 0. */
  readonly contextDim?: number;
  /** Seed of the initial weights. Default 0. */
  readonly seed?: number;
}

/** Fills defaults in and checks them. @throws ValueError */
export function resolveOptions(recipe: string, options: RecipeOptions): Required<RecipeOptions> {
  const { dim, layers = 5, hidden = [64, 64], contextDim = 0, seed = 0 } = options;
  const count = (name: string, value: number, least: number) => {
    if (!Number.isInteger(value) || value < least) throw new ValueError(`${recipe}: ${name}`, `an integer ≥ ${least}`, String(value));
  };
  count('dim', dim, 1);
  count('layers', layers, 1);
  count('contextDim', contextDim, 0);
  count('seed', seed, 0);
  if (!Array.isArray(hidden) || hidden.length === 0)
    throw new ValueError(`${recipe}: hidden`, 'at least one width', JSON.stringify(hidden));
  for (const [index, width] of hidden.entries()) count(`hidden[${index}]`, width, 1);
  return { dim, layers, hidden, contextDim, seed };
}

export class TensorWriter {
  readonly tensors = new Map<string, StoredTensor>();
  readonly #uniform: () => number;

  constructor(seed: number) {
    this.#uniform = uniformGenerator(seed);
  }

  uniform(): number {
    return this.#uniform();
  }

  float(name: string, shape: number[], data: Float32Array): void {
    this.tensors.set(name, { dtype: 'F32', shape, data });
  }

  filled(name: string, shape: number[], value: number): void {
    this.float(name, shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value));
  }

  /** `<prefix>.weight` [outputs, inputs] and `<prefix>.bias` [outputs]. */
  linear(prefix: string, inputs: number, outputs: number): void {
    const bound = 1 / Math.sqrt(Math.max(1, inputs));
    const draw = () => (2 * this.#uniform() - 1) * bound;
    this.float(`${prefix}.weight`, [outputs, inputs], Float32Array.from({ length: outputs * inputs }, draw));
    this.float(`${prefix}.bias`, [outputs], Float32Array.from({ length: outputs }, draw));
  }

  mask(prefix: string, outputs: number, inputs: number, open: (output: number, input: number) => boolean): void {
    const data = new Float32Array(outputs * inputs);
    for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) data[o * inputs + i] = open(o, i) ? 1 : 0;
    this.float(`${prefix}.mask`, [outputs, inputs], data);
    const { data: weight } = this.tensors.get(`${prefix}.weight`)!;
    for (const [at, value] of data.entries()) if (value === 0) weight[at] = 0;
  }
}

/** The flow of freshly written tensors, over a standard normal unless another base is given. */
export function buildFresh(
  gpu: Gpu,
  {
    dim,
    contextDim,
    base = { type: 'standard_normal' },
  }: { readonly dim: number; readonly contextDim: number; readonly base?: BaseDescription },
  structure: OpDescription[],
  writer: TensorWriter,
  operations: OpBuilders,
): Flow {
  const description = {
    version: 1 as const,
    features: dim,
    context_features: contextDim,
    event_shape: [dim],
    base,
    structure_direction: 'density' as const,
    structure,
  };
  return buildFlow(gpu, description, writer.tensors, operations);
}
