// Fresh weights for the recipes, as torch.nn.Linear draws them: uniform in ±1 / sqrt(inputs). Seeded, and the same on every machine.

import type { BaseDescription, OpDescription } from '../../format/description.js';
import type { StoredTensor } from '../../format/safetensors.js';
import { ACTIVATION_NUMBER, type Activation } from '../../kernels/activation.js';
import { ValueError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import { elementwiseOps } from '../build/elementwise.js';
import { buildFlow } from '../build/flow.js';
import type { OpBuilders } from '../build/op.js';
import type { Flow } from '../flow.js';
import { type BaseOption, writeBase } from './base.js';

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
  /** What z follows. Default { type: 'standard_normal' }. */
  readonly base?: BaseOption;
  /**
   * Where x lives: the whole space, or the unit cube, by a logit in front of the first layer (its margin `alpha` is 0 for 'unit'; with
   * one x may lie as far outside). Default 'real'.
   */
  readonly support?: 'real' | 'unit' | { readonly alpha: number };
}

/** The options that concern the two ends of a flow, whatever its layers. */
export type Ends = Pick<RecipeOptions, 'base' | 'support'>;

/** Fills defaults in and checks them. @throws ValueError */
export function resolveOptions(recipe: string, options: RecipeOptions): Required<Omit<RecipeOptions, keyof Ends>> {
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

/** @throws ValueError for a name that is none. */
export function checkActivation(recipe: string, activation: Activation): Activation {
  if (!Object.hasOwn(ACTIVATION_NUMBER, activation))
    throw new ValueError(`${recipe}: activation`, `one of ${Object.keys(ACTIVATION_NUMBER).join(', ')}`, JSON.stringify(activation));
  return activation;
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
    this.weight(prefix, inputs, outputs);
    this.#draw(`${prefix}.bias`, [outputs], inputs);
  }

  /** `<prefix>.weight` alone. */
  weight(prefix: string, inputs: number, outputs: number): void {
    this.#draw(`${prefix}.weight`, [outputs, inputs], inputs);
  }

  #draw(name: string, shape: number[], inputs: number): void {
    const bound = 1 / Math.sqrt(Math.max(1, inputs));
    const length = shape.reduce((a, b) => a * b, 1);
    this.float(
      name,
      shape,
      Float32Array.from({ length }, () => (2 * this.#uniform() - 1) * bound),
    );
  }

  mask(prefix: string, outputs: number, inputs: number, open: (output: number, input: number) => boolean): void {
    const data = new Float32Array(outputs * inputs);
    for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) data[o * inputs + i] = open(o, i) ? 1 : 0;
    this.float(`${prefix}.mask`, [outputs, inputs], data);
    const { data: weight } = this.tensors.get(`${prefix}.weight`)!;
    for (const [at, value] of data.entries()) if (value === 0) weight[at] = 0;
  }
}

/** 0 … count − 1 in an order drawn from the writer's seed. */
export function shuffled(writer: TensorWriter, count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(writer.uniform() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

function logitFor({ support = 'real' }: Ends): OpDescription[] {
  if (support === 'real') return [];
  const alpha = support === 'unit' ? 0 : support?.alpha;
  if (!(typeof alpha === 'number' && alpha >= 0 && alpha < 0.5))
    throw new ValueError('support', "'real', 'unit', or { alpha } from 0 to below 1/2", JSON.stringify(support) ?? typeof support);
  return [{ op: 'logit', alpha }];
}

/**
 * The flow of freshly written tensors.
 *
 * @param size `ends`: the recipe's options, for the base and the support they ask for.
 * @throws ValueError for a base or a support out of range.
 */
export function buildFresh(
  gpu: Gpu,
  {
    dim,
    contextDim,
    shape,
    ends,
    base,
  }: {
    readonly dim: number;
    readonly contextDim: number;
    readonly shape?: readonly number[] | undefined;
    readonly ends: Ends;
    /** The base where the options name none. Default: the standard normal. */
    readonly base?: BaseDescription;
  },
  structure: OpDescription[],
  writer: TensorWriter,
  operations: OpBuilders,
): Flow {
  const description = {
    version: 1 as const,
    features: dim,
    context_features: contextDim,
    event_shape: [...(shape ?? [dim])],
    base: base && ends.base === undefined ? base : writeBase(writer, ends.base, { dim, contextDim }),
    structure_direction: 'density' as const,
    structure: [...logitFor(ends), ...structure],
  };
  return buildFlow(gpu, description, writer.tensors, { ...operations, logit: elementwiseOps.logit });
}
