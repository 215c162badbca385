import type { OpDescription } from '../../format/description.js';
import { ValueError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import { autoregressiveOps } from '../build/autoregressive.js';
import { elementwiseOps } from '../build/elementwise.js';
import { linearOps } from '../build/linear.js';
import { mixtureOps } from '../build/mixture.js';
import type { Flow } from '../flow.js';
import type { ScaleBound } from './coupling.js';
import { buildFresh, type RecipeOptions, resolveOptions, shuffled, TensorWriter } from './initial.js';
import { type LinearOption, writeLinear } from './linear.js';
import { type MadeOptions, resolveMade, writeMade } from './made.js';

export interface AutoregressiveOptions extends RecipeOptions, MadeOptions, LinearOption {
  /**
   * Order of the features: the same in every layer ('natural'), reversed from layer to layer, drawn for each layer by the seed, or given: the
   * features in the order in which they depend on each other, in every layer. Default 'reverse'.
   */
  readonly order?: 'natural' | 'reverse' | 'random' | readonly number[];
  /**
   * Scale of the affine map that the network reads x for (MAF, z = a x + shift) or z (IAF, x = a z + shift). Default: z = (x − mu) e^−s and
   * x = z e^s + mu, unbounded, as in the papers.
   */
  readonly scale?: ScaleBound;
  /** a in (0, 1], for all layers or one a layer: the layer is x + a (f(x) − x), a residual layer with a closed inverse. Default 1. */
  readonly interpolation?: number | readonly number[];
  /** Batch norm with running statistics between layers; they start at mean 0 and variance 1. Default false. */
  readonly batchNorm?: boolean;
}

/** Conditionals that are mixtures of Gaussians: z = Φ⁻¹(F(x)), F the mixture's distribution function. */
export interface MixtureOutput {
  /** Components K of each conditional. */
  readonly mixture: number;
  /** 'last': the layer next to the noise, whose density the others transport (MAF MoG); 'all'. Default 'last'. */
  readonly layers?: 'last' | 'all';
  /** Least standard deviation. Default 0.01. */
  readonly eps?: number;
}

export interface MAFOptions extends AutoregressiveOptions {
  readonly output?: MixtureOutput;
}

export interface MademogOptions extends Omit<MAFOptions, 'layers' | 'scale' | 'interpolation' | 'batchNorm' | 'output'> {
  /** K. Default 10. */
  readonly components?: number;
  /** Least standard deviation. Default 0.01. */
  readonly eps?: number;
}

/** The permutation in front of each layer, or null. @throws ValueError */
function resolveOrder(recipe: string, order: AutoregressiveOptions['order'], dim: number, writer: TensorWriter) {
  const reversed = Array.from({ length: dim }, (_, i) => dim - 1 - i);
  if (order === undefined || order === 'reverse') return (layer: number) => (layer > 0 ? reversed : null);
  if (order === 'natural') return () => null;
  if (order === 'random') return () => shuffled(writer, dim);
  if (!Array.isArray(order)) throw new ValueError(`${recipe}: order`, 'natural, reverse, random or a list', JSON.stringify(order));
  const once = new Set(order).size === order.length && order.every((i) => Number.isInteger(i) && i >= 0 && i < dim);
  if (!once || order.length !== dim) throw new ValueError(`${recipe}: order`, `each of 0 to ${dim - 1} once`, JSON.stringify(order));
  return (layer: number) => (layer === 0 ? [...(order as readonly number[])] : null);
}

/** One number a layer. @throws ValueError */
function resolveInterpolation(recipe: string, given: AutoregressiveOptions['interpolation'], layers: number): readonly number[] {
  const each = typeof given === 'number' || given === undefined ? new Array<number>(layers).fill(given ?? 1) : given;
  if (!Array.isArray(each) || each.length !== layers)
    throw new ValueError(`${recipe}: interpolation`, `a number, or ${layers} of them, one a layer`, JSON.stringify(given));
  const bad = each.find((value) => !(Math.fround(value) > 0 && value <= 1));
  if (bad !== undefined) throw new ValueError(`${recipe}: interpolation`, 'numbers above 0, at most 1', String(bad));
  return each;
}

/** @throws ValueError */
function resolveOutput(recipe: string, { mixture, layers = 'last', eps = 0.01 }: MixtureOutput): Required<MixtureOutput> {
  if (!Number.isInteger(mixture) || mixture < 1) throw new ValueError(`${recipe}: output.mixture`, 'an integer ≥ 1', String(mixture));
  if (layers !== 'last' && layers !== 'all') throw new ValueError(`${recipe}: output.layers`, "'last' or 'all'", JSON.stringify(layers));
  if (!(Math.fround(eps) > 0 && Number.isFinite(eps))) throw new ValueError(`${recipe}: output.eps`, 'a number above 0', String(eps));
  return { mixture, layers, eps };
}

/** Softplus of these biases is 1 − eps, so that fresh deviations are near 1. */
function centreDeviations(writer: TensorWriter, bias: string, eps: number): void {
  const { data } = writer.tensors.get(bias)!;
  const value = Math.log(Math.expm1(Math.max(1 - eps, 1e-3)));
  for (let s = 2; s < data.length; s += 3) data[s] = value;
}

function writeNorm(writer: TensorWriter, prefix: string, dim: number): OpDescription {
  const [mean, variance, gamma, beta] = ['running_mean', 'running_var', 'log_gamma', 'beta'].map((name) => `${prefix}.${name}`);
  writer.filled(mean!, [dim], 0);
  writer.filled(variance!, [dim], 1);
  writer.filled(gamma!, [dim], 0);
  writer.filled(beta!, [dim], 0);
  return { op: 'batchnorm', mean: mean!, var: variance!, eps: 1e-5, gamma: gamma!, gamma_map: 'exp', beta: beta! };
}

async function build(gpu: Gpu, recipe: 'maf' | 'iaf' | 'mademog', options: MAFOptions): Promise<Flow> {
  const { dim, layers, hidden, contextDim, seed } = resolveOptions(recipe, options);
  const made = resolveMade(recipe, options, hidden);
  const interpolation = resolveInterpolation(recipe, options.interpolation, layers);
  if (recipe === 'iaf' && options.output) throw new ValueError('iaf: output', 'nothing, since mixtures are of maf', 'a mixture');
  const output = options.output && resolveOutput(recipe, options.output);
  const isMixture = (layer: number) => output !== undefined && (output.layers === 'all' || layer === layers - 1);
  const mixtures = interpolation.map((_, layer) => layer).filter(isMixture);
  // One number is for the affine layers; a list says something of every layer.
  if ((typeof options.interpolation !== 'number' || mixtures.length === layers) && mixtures.some((layer) => interpolation[layer]! < 1))
    throw new ValueError(`${recipe}: interpolation`, '1 for a layer that is a mixture', JSON.stringify(options.interpolation));
  if (mixtures.length === layers && options.scale)
    throw new ValueError(`${recipe}: scale`, 'an affine layer to bound; every layer is a mixture', JSON.stringify(options.scale));
  const writer = new TensorWriter(seed);
  const orderOf = resolveOrder(recipe, options.order, dim, writer);
  const structure: OpDescription[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `layers.${layer}`;
    const perm = orderOf(layer);
    if (perm) structure.push({ op: 'permute', perm });
    if (layer > 0) structure.push(...writeLinear(writer, `${prefix}.linear`, dim, options.linear));
    const shape = { ...made, dim, hidden, contextDim };
    if (output && isMixture(layer)) {
      const each = 3 * output.mixture;
      const net = writeMade(writer, prefix, { ...shape, outputs: each * dim, featureOf: (o) => Math.floor(o / each) });
      centreDeviations(writer, `${prefix}.net.${made.residual ? 'final_layer' : hidden.length}.bias`, output.eps);
      structure.push({ op: 'ar_mixture', components: output.mixture, eps: output.eps, net });
    } else {
      const net = writeMade(writer, prefix, { ...shape, outputs: 2 * dim, featureOf: (o) => o % dim });
      const mix = interpolation[layer]! < 1 ? { mix: interpolation[layer]! } : {};
      const op = recipe === 'iaf' ? 'iaf_affine' : 'ar_affine';
      structure.push(options.scale ? { op, ...options.scale, layout: 'chunk', ...mix, net } : { op, form: 'mu_s', ...mix, net });
    }
    if (options.batchNorm) structure.push(writeNorm(writer, `${prefix}.norm`, dim));
  }
  return buildFresh(gpu, { dim, contextDim, ends: options }, structure, writer, {
    ...elementwiseOps,
    ...autoregressiveOps,
    ...mixtureOps,
    ...linearOps,
  });
}

/**
 * A fresh masked autoregressive flow: density in one parallel pass, sampling feature by feature at the cost of about one pass.
 * x, z [n, D]; context [n, C] or [C]; densities in nats. Papamakarios et al. 2017, arXiv:1705.07057.
 *
 * ```ts
 * const flow = await maf(gpu, { dim: 6, layers: 5, hidden: [128, 128], seed: 1 });
 * const x = await flow.sample(1000, { seed: 7 }); // [1000, 6]
 * ```
 *
 * @throws ValueError for an option out of range, or two that exclude each other.
 */
export const maf = (gpu: Gpu, options: MAFOptions): Promise<Flow> => build(gpu, 'maf', options);

/**
 * A fresh inverse autoregressive flow: sampling in one parallel pass, density feature by feature at the cost of about one.
 * x, z [n, D]; context [n, C] or [C]; densities in nats. Kingma et al. 2016, arXiv:1606.04934.
 *
 * ```ts
 * const flow = await iaf(gpu, { dim: 6, scale: { form: 'sigmoid2', eps: 1e-3 }, seed: 1 });
 * ```
 *
 * @throws ValueError for an option out of range, or two that exclude each other.
 */
export const iaf = (gpu: Gpu, options: AutoregressiveOptions): Promise<Flow> => build(gpu, 'iaf', options);

/**
 * A fresh MADE whose conditionals are mixtures of Gaussians, p(x_i | x_<i) = Σ_k π_k N(μ_k, σ_k): a density estimator of one masked network,
 * and as a flow z_i = Φ⁻¹(F_i(x_i)). x, z [n, D]; densities in nats. Papamakarios et al. 2017, arXiv:1705.07057, section 4.1.
 *
 * ```ts
 * const density = await mademog(gpu, { dim: 6, components: 10, hidden: [256, 256], seed: 1 });
 * ```
 *
 * @throws ValueError for an option out of range, or two that exclude each other.
 */
export function mademog(gpu: Gpu, { components = 10, eps = 0.01, ...options }: MademogOptions): Promise<Flow> {
  return build(gpu, 'mademog', { ...options, layers: 1, output: { mixture: components, layers: 'all', eps } });
}
