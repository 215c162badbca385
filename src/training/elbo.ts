// The evidence lower bound of a variational autoencoder whose posterior is a flow.
//
//   log p(x) ≥ E over z ~ q(z | x) of  log p(x | z) + log p(z) − log q(z | x)
//
// q is a conditional flow with x as its context: z = f⁻¹(z₀; x), z₀ from its base, log q(z | x) = log base(z₀ | x) − log|det dz/dz₀|, so that the
// gradient is that of the sample's path. The prior is N(0, I). Kingma & Welling 2014, arXiv:1312.6114; Rezende & Mohamed 2015, arXiv:1505.05770.

import { StandardNormal } from '../flows/bases/standard-normal.js';
import { recordInput, startLogDet } from '../flows/task.js';
import { addProduct } from '../kernels/rules/accumulate.js';
import type { Recorder } from '../runtime/recorder.js';
import type { TiledTensor } from '../runtime/tensor.js';
import { type DataSet, shuffled } from './likelihood.js';
import type { FlowLayers } from './model.js';
import type { Objective, RecordTerms } from './objective.js';

/** The two flows that train together. */
export type Pair = 'posterior' | 'decoder';
export type PairLayers = Readonly<Record<Pair, FlowLayers>>;

/** Records one draw of the bound for each row, [1, rows], nats. @param x tiled [D, rows]. */
export function recordBound(r: Recorder, { posterior, decoder }: PairLayers, x: TiledTensor): TiledTensor {
  const logDet = startLogDet(r);
  const [z, logQ] = r.scope('posterior', () => {
    const start = posterior.base.sample(r, x);
    const moved = posterior.bijector.inverse(r, start, { logDet, context: x });
    return [moved, posterior.base.logDensity(r, start, logDet, -1, x)];
  });
  const joint = r.scope('decoder', () => {
    const inner = startLogDet(r);
    const y = decoder.bijector.forward(r, x, { logDet: inner, context: z });
    const logLikelihood = decoder.base.logDensity(r, y, inner, 1, z);
    return new StandardNormal(z.features).logDensity(r, z, logLikelihood, 1);
  });
  const bound = r.tiled(1, 'bound');
  addProduct(r, { tensor: bound, add: false }, joint, null);
  addProduct(r, { tensor: bound, add: true }, logQ, null, -1);
  return bound;
}

export function elbo(
  { x }: DataSet,
  validation: (DataSet & { readonly rows: number }) | null,
  { dim, count, seed }: { readonly dim: number; readonly count: number; readonly seed: number },
): Objective<PairLayers> {
  const termsOf =
    (input: typeof recordInput): RecordTerms<PairLayers> =>
    (r, layers) =>
      recordBound(r, layers, input(r, 'x', dim));
  return {
    name: 'fit',
    terms: termsOf(shuffled(count, seed)),
    sign: -1,
    shift: 0,
    period: count,
    data: { xs: x, ...(validation && { x: validation.x }) },
    heldOut: validation && { rows: validation.rows, terms: termsOf(recordInput) },
  };
}
