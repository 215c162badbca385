import type { NetDescription, OpDescription, ResidualInverseDescription, ResidualLogDetDescription } from '../../format/description.js';
import { ValueError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import { EXACT_FEATURES } from '../bijectors/residual.js';
import { elementwiseOps } from '../build/elementwise.js';
import { checkLogDet, residualOps } from '../build/residual.js';
import { check, checkInteger, checkOneOf } from '../checks.js';
import type { Flow } from '../flow.js';
import { buildFresh, type RecipeOptions, resolveOptions, TensorWriter } from './initial.js';

/** Where the vectors of a trace estimate come from: `unit` takes all unit vectors and is exact, at D times the cost of one random probe. */
interface Probes {
  /** Default 'rademacher'. */
  readonly probe?: 'unit' | 'rademacher' | 'gaussian';
  /** Random probes a row. Default 1. */
  readonly probes?: number;
}

/**
 * How log det(I + dg/dx) is computed. `exact`: the Jacobian and its determinant, D up to 64. `series`: that many terms of the power series.
 * `roulette`: unbiased, with a random number of terms; `rate` is the chance to stop after a term (geometric, default 0.5) or the mean number
 * (poisson, default 2), `exactTerms` always count (default 2), `terms` is the most (default 64).
 */
export type ResidualLogDetOption =
  | 'exact'
  | ({ readonly series: number } & Probes)
  | ({
      readonly roulette: 'geometric' | 'poisson';
      readonly rate?: number;
      readonly exactTerms?: number;
      readonly terms?: number;
    } & Probes);

/** How z = x + g(x) is solved; docs/flows/residual.md. */
export type ResidualInverseOption =
  | 'broyden'
  | 'fixed-point'
  | {
      readonly method: 'broyden' | 'fixed-point';
      /** Residual, relative to max(1, |x|), at which a row is done. Default 0: as far as float32 goes. */
      readonly tolerance?: number;
      /** Plain steps at most. Default: as many as shrink the residual 2^24-fold for certain. */
      readonly iterations?: number;
    };

export interface ResidualOptions extends RecipeOptions {
  /** Largest spectral norm of each linear layer. Default 0.9; below 1. */
  readonly coefficient?: number;
  /** Default 'lipswish', v sigmoid(beta v) / 1.1 with a learned beta. */
  readonly activation?: 'lipswish' | 'elu' | 'tanh' | 'relu' | 'leaky_relu' | 'softplus' | 'sigmoid';
  /** Default 'exact'. */
  readonly logDet?: ResidualLogDetOption;
  /** Default 'broyden'. */
  readonly inverse?: ResidualInverseOption;
  /** ActNorm before each residual layer. Default true. */
  readonly actNorm?: boolean;
}

function describeLogDet(option: ResidualLogDetOption = 'exact'): ResidualLogDetDescription {
  if (option === 'exact') return { method: 'exact' };
  const known = typeof option === 'object' && option !== null && 'series' in option !== 'roulette' in option;
  check(known, 'residual: logDet', "'exact', { series: n } or { roulette: 'geometric' | 'poisson' }", option);
  const { probe = 'rademacher', probes = 1 } = option;
  checkOneOf('residual: logDet.probe', probe, ['unit', 'rademacher', 'gaussian']);
  count('logDet.probes', probes, 1);
  if ('series' in option) {
    count('logDet.series', option.series, 1);
    return { method: 'series', terms: option.series, probe, probes };
  }
  const { roulette: distribution, rate, exactTerms, terms } = option;
  checkOneOf('residual: logDet.roulette', distribution, ['geometric', 'poisson']);
  if (exactTerms !== undefined) count('logDet.exactTerms', exactTerms, 0);
  if (terms !== undefined) count('logDet.terms', terms, 1);
  const described = {
    method: 'roulette' as const,
    distribution,
    ...(rate !== undefined && { rate }),
    ...(exactTerms !== undefined && { exact_terms: exactTerms }),
    ...(terms !== undefined && { terms }),
    probe,
    probes,
  };
  const wrong = checkLogDet(described);
  if (wrong) throw new ValueError(`residual: logDet.${wrong[0] === 'rate' ? 'rate' : 'exactTerms'}`, wrong[1], wrong[2]);
  return described;
}

function describeInverse(option: ResidualInverseOption = 'broyden'): ResidualInverseDescription {
  const { method, tolerance = 0, iterations } = typeof option === 'object' && option !== null ? option : { method: option };
  checkOneOf('residual: inverse', method, ['broyden', 'fixed-point']);
  check(tolerance >= 0 && tolerance < 1, 'residual: inverse.tolerance', 'a number from 0 to 1', tolerance);
  if (iterations !== undefined) count('inverse.iterations', iterations, 1);
  return {
    method: method === 'broyden' ? 'broyden' : 'fixed_point',
    ...(tolerance > 0 && { tolerance }),
    ...(iterations !== undefined && { iterations }),
  };
}

const count = (name: string, value: number, least: number): void => checkInteger(`residual: ${name}`, value, least, 65535);

/**
 * A fresh residual flow: z = x + g(x) with networks g whose layers have spectral norm at most `coefficient`. Density costs one network pass
 * and the log-det; sampling solves for x, in some 10 passes. With a context, its projection is added to the first layer, which
 * leaves g a contraction of x. Behrmann et al. 2019, arXiv:1811.00995; Chen et al. 2019, arXiv:1906.02735.
 *
 * ```ts
 * const flow = await residual(gpu, { dim: 2, layers: 8, hidden: [64, 64], seed: 1 });
 * const { z, logDet } = await flow.forward(x); // x, z [n, 2] row-major; logDet [n], nats
 * ```
 *
 * @throws ValueError for an option out of range, and for an exact log-det of more than 64 features: take { series: n } or a roulette.
 */
export async function residual(gpu: Gpu, options: ResidualOptions): Promise<Flow> {
  const { dim, layers, hidden, contextDim, seed } = resolveOptions('residual', options);
  const { coefficient = 0.9, activation = 'lipswish', actNorm = true } = options;
  const between = coefficient > 0 && coefficient < 1;
  check(between, 'residual: coefficient', 'a number between 0 and 1, or the layers have no inverse', coefficient);
  checkOneOf('residual: activation', activation, ['lipswish', 'elu', 'tanh', 'relu', 'leaky_relu', 'softplus', 'sigmoid']);
  const log_det = describeLogDet(options.logDet);
  const feasible = log_det.method !== 'exact' || dim <= EXACT_FEATURES;
  check(feasible, 'residual: logDet', `{ series: n } or { roulette: … } for more than ${EXACT_FEATURES} features`, `exact for ${dim}`);
  const inverse = describeInverse(options.inverse);
  const writer = new TensorWriter(seed);
  const structure: OpDescription[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `layers.${layer}`;
    if (actNorm) structure.push({ op: 'actnorm', ...writer.actNorm(`${prefix}.norm`, [dim]), form: 'scale_then_shift' });
    const linears = writer.linears(`${prefix}.net`, [dim, ...hidden, dim]).map((linear, index) => {
      if (activation !== 'lipswish' || index === 0) return { linear };
      writer.filled(`${linear}.beta`, [1], 0.5);
      return { linear, swish_beta: `${linear}.beta` };
    });
    if (contextDim > 0) writer.linear(`${prefix}.context_proj`, contextDim, hidden[0]!);
    const net: NetDescription = {
      type: 'lipschitz_mlp',
      coeff: coefficient,
      layers: linears,
      activation,
      context_proj: contextDim > 0 ? `${prefix}.context_proj` : null,
    };
    structure.push({ op: 'residual', net, log_det, inverse });
  }
  return buildFresh(gpu, options, structure, writer, { ...elementwiseOps, ...residualOps });
}
