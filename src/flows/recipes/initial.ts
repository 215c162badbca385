// What recipes share: common options, and fresh weights, as torch.nn.Linear draws them: uniform in ±1 / sqrt(inputs). Seeded, and the same on every machine.

import type { BaseDescription, FlowDescription, OpDescription } from '../../format/description.js';
import type { StoredTensor } from '../../format/safetensors.js';
import { product } from '../../format/shape.js';
import { ACTIVATION_NUMBER, type Activation } from '../../kernels/activation.js';
import type { Gpu } from '../../runtime/gpu.js';
import { elementwiseOps } from '../build/elementwise.js';
import { buildFlow } from '../build/flow.js';
import type { BaseBuilders, OpBuilders } from '../build/op.js';
import { check, checkInteger, checkOneOf } from '../checks.js';
import { identityOrder } from '../conditioner/packing.js';
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
  const { dim, layers = 5 } = options;
  checkInteger(`${recipe}: dim`, dim, 1);
  checkInteger(`${recipe}: layers`, layers, 1);
  return { dim, layers, ...resolveNets(recipe, options) };
}

/** The options of the networks alone. @throws ValueError */
export function resolveNets(recipe: string, options: Pick<RecipeOptions, 'hidden' | 'contextDim' | 'seed'>) {
  const { hidden = [64, 64], contextDim = 0, seed = 0 } = options;
  checkInteger(`${recipe}: contextDim`, contextDim, 0);
  checkInteger(`${recipe}: seed`, seed, 0);
  checkWidths(`${recipe}: hidden`, hidden, 1);
  return { hidden, contextDim, seed };
}

/** Integers ≥ 1, at least so many. @throws ValueError */
export function checkWidths(place: string, widths: readonly number[], least: number): void {
  check(Array.isArray(widths) && widths.length >= least, place, least === 1 ? 'at least one width' : 'a list of widths', widths);
  for (const [index, width] of widths.entries()) checkInteger(`${place}[${index}]`, width, 1);
}

/** @throws ValueError for a name that is none. */
export function checkActivation(recipe: string, activation: Activation): Activation {
  checkOneOf(`${recipe}: activation`, activation, Object.keys(ACTIVATION_NUMBER) as Activation[]);
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
    this.float(name, shape, new Float32Array(product(shape)).fill(value));
  }

  /** `count` numbers, uniform in ±bound. */
  draws(count: number, bound: number): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length: count }, () => (2 * this.#uniform() - 1) * bound);
  }

  /** Names of linear layers `<prefix>.0`, `.1`, … from each width to the next. */
  linears(prefix: string, widths: readonly number[]): string[] {
    return widths.slice(1).map((width, index) => {
      this.linear(`${prefix}.${index}`, widths[index]!, width);
      return `${prefix}.${index}`;
    });
  }

  /** An ActNorm of the identity. */
  actNorm(prefix: string, shape: number[]): { log_scale: string; shift: string } {
    const names = { log_scale: `${prefix}.log_scale`, shift: `${prefix}.shift` };
    for (const name of Object.values(names)) this.filled(name, shape, 0);
    return names;
  }

  /** `<prefix>.weight` [outputs, inputs] and `<prefix>.bias` [outputs]. */
  linear(prefix: string, inputs: number, outputs: number): void {
    this.weight(prefix, inputs, outputs);
    this.draw(`${prefix}.bias`, [outputs], inputs);
  }

  /** `<prefix>.weight` alone. */
  weight(prefix: string, inputs: number, outputs: number): void {
    this.draw(`${prefix}.weight`, [outputs, inputs], inputs);
  }

  /** A tensor of numbers as torch.nn draws them for that many inputs. */
  draw(name: string, shape: number[], inputs: number): void {
    this.float(name, shape, this.draws(product(shape), 1 / Math.sqrt(Math.max(1, inputs))));
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
  const order = [...identityOrder(count)];
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(writer.uniform() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

function logitFor({ support = 'real' }: Ends): OpDescription[] {
  if (support === 'real') return [];
  const alpha = support === 'unit' ? 0 : support?.alpha;
  check(typeof alpha === 'number' && alpha >= 0 && alpha < 0.5, 'support', "'real', 'unit', or { alpha } from 0 to below 1/2", support);
  return [{ op: 'logit', alpha }];
}

/** A description of a flow from data to noise over events of a shape. */
export const describe = (
  shape: readonly number[],
  parts: { readonly contextDim: number; readonly base: BaseDescription; readonly structure: OpDescription[] },
): FlowDescription => ({
  version: 1,
  features: product(shape),
  context_features: parts.contextDim,
  event_shape: [...shape],
  base: parts.base,
  structure_direction: 'density',
  structure: parts.structure,
});

/**
 * The flow of freshly written tensors.
 *
 * @param options those of the recipe: `base` and `support` are what it is put between.
 * @param own `base`: where the options name none, default the standard normal. `shape`: of an event, default [dim].
 *   `bases`: builders beyond the common ones.
 * @throws ValueError for a base or a support out of range.
 */
export function buildFresh(
  gpu: Gpu,
  options: RecipeOptions,
  structure: OpDescription[],
  writer: TensorWriter,
  operations: OpBuilders,
  own: { readonly base?: BaseDescription; readonly shape?: readonly number[] | undefined; readonly bases?: BaseBuilders } = {},
): Flow {
  const { dim, contextDim = 0 } = options;
  const base = own.base && options.base === undefined ? own.base : writeBase(writer, options.base, { dim, contextDim });
  const description = describe(own.shape ?? [dim], { contextDim, base, structure: [...logitFor(options), ...structure] });
  return buildFlow(gpu, description, writer.tensors, { ...operations, logit: elementwiseOps.logit }, own.bases);
}
