import type { OpDescription } from '../../format/description.js';
import type { Gpu } from '../../runtime/gpu.js';
import { autoregressiveOps } from '../build/autoregressive.js';
import { elementwiseOps } from '../build/elementwise.js';
import { linearOps } from '../build/linear.js';
import { mixtureOps } from '../build/mixture.js';
import { check, checkInteger, checkOneOf } from '../checks.js';
import type { Flow } from '../flow.js';
import { inverseSoftplus } from '../scalar.js';
import type { ScaleBound } from './coupling.js';
import { buildFresh, type RecipeOptions, resolveOptions, TensorWriter } from './initial.js';
import { checkPermutation, type LinearKind, type LinearOption, writeLinear } from './linear.js';
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

/** The permutation in front of each layer. @throws ValueError */
function resolveOrder(recipe: string, order: AutoregressiveOptions['order'] = 'reverse', dim: number): (layer: number) => LinearKind {
  if (order === 'random') return () => 'permute';
  if (order === 'reverse') return (layer) => (layer > 0 ? 'reverse' : 'none');
  if (order === 'natural') return () => 'none';
  check(Array.isArray(order), `${recipe}: order`, 'natural, reverse, random or a list', order);
  checkPermutation(`${recipe}: order`, order, dim);
  return (layer) => (layer === 0 ? order : 'none');
}

/** One number a layer. @throws ValueError */
function resolveInterpolation(recipe: string, given: AutoregressiveOptions['interpolation'], layers: number): readonly number[] {
  const each = typeof given === 'number' || given === undefined ? new Array<number>(layers).fill(given ?? 1) : given;
  const place = `${recipe}: interpolation`;
  check(Array.isArray(each) && each.length === layers, place, `a number, or ${layers} of them, one a layer`, given);
  for (const value of each) check(Math.fround(value) > 0 && value <= 1, place, 'numbers above 0, at most 1', value);
  return each;
}

/** @throws ValueError */
function resolveOutput(recipe: string, { mixture, layers = 'last', eps = 0.01 }: MixtureOutput): Required<MixtureOutput> {
  checkInteger(`${recipe}: output.mixture`, mixture, 1);
  checkOneOf(`${recipe}: output.layers`, layers, ['last', 'all']);
  check(Math.fround(eps) > 0 && Number.isFinite(eps), `${recipe}: output.eps`, 'a number above 0', eps);
  return { mixture, layers, eps };
}

/** Softplus of these biases is 1 − eps, so that fresh deviations are near 1. */
function centreDeviations(writer: TensorWriter, bias: string, eps: number): void {
  const { data } = writer.tensors.get(bias)!;
  const value = inverseSoftplus(Math.max(1 - eps, 1e-3));
  for (let s = 2; s < data.length; s += 3) data[s] = value;
}

function writeNorm(writer: TensorWriter, prefix: string, dim: number): OpDescription {
  const filled = (name: string, value: number) => {
    writer.filled(`${prefix}.${name}`, [dim], value);
    return `${prefix}.${name}`;
  };
  const [mean, variance] = [filled('running_mean', 0), filled('running_var', 1)];
  return { op: 'batchnorm', mean, var: variance, eps: 1e-5, gamma: filled('log_gamma', 0), gamma_map: 'exp', beta: filled('beta', 0) };
}

async function build(gpu: Gpu, recipe: 'maf' | 'iaf' | 'mademog', options: MAFOptions): Promise<Flow> {
  const { dim, layers, hidden, contextDim, seed } = resolveOptions(recipe, options);
  const made = resolveMade(recipe, options, hidden);
  const interpolation = resolveInterpolation(recipe, options.interpolation, layers);
  check(recipe !== 'iaf' || !options.output, 'iaf: output', 'nothing, since mixtures are of maf', options.output);
  const output = options.output && resolveOutput(recipe, options.output);
  const isMixture = (layer: number) => output !== undefined && (output.layers === 'all' || layer === layers - 1);
  const mixtures = interpolation.map((_, layer) => layer).filter(isMixture);
  const affine = mixtures.length < layers;
  // One number is for the affine layers; a list says something of every layer.
  const fits = (typeof options.interpolation === 'number' && affine) || mixtures.every((layer) => interpolation[layer] === 1);
  check(fits, `${recipe}: interpolation`, '1 for a layer that is a mixture', options.interpolation);
  check(affine || !options.scale, `${recipe}: scale`, 'an affine layer to bound; every layer is a mixture', options.scale);
  const writer = new TensorWriter(seed);
  const orderOf = resolveOrder(recipe, options.order, dim);
  const structure: OpDescription[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `layers.${layer}`;
    structure.push(...writeLinear(writer, prefix, dim, orderOf(layer)));
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
  return buildFresh(gpu, options, structure, writer, { ...elementwiseOps, ...autoregressiveOps, ...mixtureOps, ...linearOps });
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
