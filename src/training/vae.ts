// Variational autoencoders, loaded when one is asked for.

import type { Variational, VariationalParts } from './variational.js';

export type { Variational, VariationalFitOptions, VariationalParts } from './variational.js';

/**
 * A variational autoencoder of two conditional flows: a posterior q(z | x) over L latents that reads x, and a decoder p(x | z) that reads z; the
 * prior is N(0, I). The base of the posterior is its encoder: with `conditional_normal` an MLP from x to mean and deviation, and the flow's
 * layers bend what comes from it. Any flow whose draws are one pass serves: `iaf` (inverse autoregressive flow), `realNVP`, `planar`.
 *
 * ```ts
 * const posterior = await iaf(gpu, { dim: 8, contextDim: 64, layers: 2, base: { type: 'conditional_normal', hidden: [128] } });
 * const model = await variational({ posterior, decoder: await decoder(gpu, { dim: 64, contextDim: 8, hidden: [128] }) });
 * await model.fit(bits, { steps: 2000 });
 * const bound = await model.bound(bits, { samples: 64 });
 * ```
 *
 * Kingma et al. 2016, arXiv:1606.04934.
 *
 * @throws ValueError for flows whose widths do not meet; UnsupportedError for a solve with error control.
 */
export async function variational(parts: VariationalParts): Promise<Variational> {
  const { Variational } = await import('./reverse.js');
  return new Variational(parts);
}
