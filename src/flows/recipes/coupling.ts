import type { Activation, OpDescription } from '../../format/description.js';
import type { Gpu } from '../../runtime/gpu.js';
import { couplingOps } from '../build/coupling.js';
import { elementwiseOps } from '../build/elementwise.js';
import { linearOps } from '../build/linear.js';
import { check } from '../checks.js';
import type { Flow } from '../flow.js';
import { buildFresh, checkActivation, type RecipeOptions, resolveOptions, TensorWriter } from './initial.js';
import { type LinearOption, writeLinear } from './linear.js';
import { type MaskingOptions, resolveMasking, writeCouplingNet } from './masking.js';

/** How the network's output bounds the scale; formulas in docs/format.md, `coupling_affine`. */
export type ScaleBound =
  | { readonly form: 'exp' }
  | { readonly form: 'tanh'; readonly bound: number }
  | { readonly form: 'clamp'; readonly low: number; readonly high: number }
  | { readonly form: 'softclip'; readonly slope: number }
  | { readonly form: 'sigmoid2' | 'softplus' | 'softplus_clamp3'; readonly eps: number };

export interface CouplingOptions extends RecipeOptions, MaskingOptions, LinearOption {
  /** Of the networks. Default 'relu'. */
  readonly activation?: Activation;
}

export interface RealNVPOptions extends CouplingOptions {
  /** Default { form: 'tanh', bound: 2 }: scales between e^-2 and e^2. */
  readonly scale?: ScaleBound;
}

async function build(
  gpu: Gpu,
  recipe: string,
  options: CouplingOptions,
  form: ScaleBound | { readonly form: 'additive' },
  diagonal: boolean,
): Promise<Flow> {
  const { dim, layers, hidden, contextDim, seed } = resolveOptions(recipe, options);
  check(dim > 1, `${recipe}: dim`, 'at least 2, since a coupling moves some features by the others (maf takes dim 1)', dim);
  const activation = checkActivation(recipe, options.activation ?? 'relu');
  const writer = new TensorWriter(seed);
  const structure: OpDescription[] = [];
  for (const [layer, passes] of resolveMasking(recipe, options, dim, layers, writer).entries()) {
    if (layer > 0) structure.push(...writeLinear(writer, `layers.${layer}.linear`, dim, options.linear));
    const each = form.form === 'additive' ? 1 : 2;
    const coupling = writeCouplingNet(writer, `layers.${layer}.net`, passes, { hidden, contextDim, each, activation });
    structure.push({ op: 'coupling_affine', ...form, ...coupling });
  }
  if (diagonal) structure.push({ op: 'actnorm', ...writer.actNorm('scaling', [dim]), form: 'scale_then_shift' });
  const ops = { ...elementwiseOps, ...couplingOps, ...linearOps };
  return buildFresh(gpu, options, structure, writer, ops, { shape: options.shape });
}

/**
 * A fresh NICE: additive couplings and a final diagonal scaling. Both directions cost one pass. x, z [n, D]; densities in nats.
 * Dinh, Krueger, Bengio 2014, arXiv:1410.8516.
 *
 * ```ts
 * const flow = await nice(gpu, { dim: 64, layers: 4, hidden: [256, 256], masking: 'checkerboard', shape: [1, 8, 8] });
 * ```
 *
 * @throws ValueError for an option out of range, a mask that moves all or none, or dim 1.
 */
export const nice = (gpu: Gpu, options: CouplingOptions): Promise<Flow> => build(gpu, 'nice', options, { form: 'additive' }, true);

/**
 * A fresh RealNVP: affine couplings. Both directions cost one pass. x, z [n, D]; densities in nats. Dinh, Sohl-Dickstein, Bengio
 * 2017, arXiv:1605.08803.
 *
 * ```ts
 * const flow = await realNVP(gpu, { dim: 2, layers: 8, hidden: [64, 64], scale: { form: 'clamp', low: -5, high: 3 } });
 * ```
 *
 * @throws ValueError for an option out of range, a mask that moves all or none, or dim 1.
 */
export const realNVP = (gpu: Gpu, options: RealNVPOptions): Promise<Flow> =>
  build(gpu, 'realNVP', options, options.scale ?? { form: 'tanh', bound: 2 }, false);
