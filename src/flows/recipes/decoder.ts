import type { Gpu } from '../../runtime/gpu.js';
import { check, checkInteger, checkOneOf } from '../checks.js';
import type { Flow } from '../flow.js';
import { buildFresh, checkActivation, type RecipeOptions, resolveNets, TensorWriter } from './initial.js';

export interface DecoderOptions extends Pick<RecipeOptions, 'dim' | 'hidden' | 'seed'> {
  /** C: what it reads, a latent. */
  readonly contextDim: number;
  /** Of x given the context: bits, or normals with a deviation for each feature, both by the network. Default 'bernoulli'. */
  readonly likelihood?: 'bernoulli' | 'normal';
  /** Default 'tanh'. */
  readonly activation?: 'relu' | 'tanh' | 'sigmoid' | 'elu' | 'leaky_relu' | 'silu' | 'softplus';
}

/**
 * A fresh MLP from a context to independent features: the decoder p(x | z) of a variational autoencoder, whose z is the context. A flow
 * without layers, so that it saves, loads and scores as one; with `likelihood: 'bernoulli'` x are bits, or grey values from 0 to 1 that count
 * as means of bits, and `logProb` is a log-mass.
 *
 * ```ts
 * const bits = await decoder(gpu, { dim: 64, contextDim: 8, hidden: [128] });
 * ```
 *
 * Kingma & Welling 2014, arXiv:1312.6114, appendix C.
 *
 * @throws ValueError for an option out of range.
 */
export async function decoder(gpu: Gpu, options: DecoderOptions): Promise<Flow> {
  const { dim, contextDim, likelihood = 'bernoulli', activation = 'tanh' } = options;
  checkInteger('decoder: dim', dim, 1);
  const { hidden, seed } = resolveNets('decoder', options);
  check(contextDim > 0, 'decoder: contextDim', 'an integer ≥ 1', contextDim);
  checkOneOf('decoder: likelihood', likelihood, ['bernoulli', 'normal']);
  checkActivation('decoder', activation);
  const writer = new TensorWriter(seed);
  const linears = writer.linears('base.net', [contextDim, ...hidden, likelihood === 'normal' ? 2 * dim : dim]);
  const base = { type: `conditional_${likelihood}`, net: { type: 'masked_mlp', linears, activation } } as const;
  return buildFresh(gpu, { dim, contextDim }, [], writer, {}, { base });
}
