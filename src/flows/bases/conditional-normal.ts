import { rowSum } from '../../kernels/row-sum.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { Coupling } from '../bijectors/coupling.js';
import type { Conditioner } from '../conditioner/conditioner.js';
import { identityOrder } from '../conditioner/packing.js';
import { startLogDet } from '../task.js';
import { AffineTransformer } from '../transformers/affine.js';
import type { Base } from './base.js';
import { StandardNormal } from './standard-normal.js';

/** N(loc(c), diag(exp(2 logScale(c)))): the standard normal behind an affine map whose parameters are a network of the context. */
export class ConditionalNormal implements Base {
  readonly dim: number;
  readonly contextDim: number;
  readonly #standard: StandardNormal;
  readonly #whiten: Coupling;

  /** @param conditioner reads the context alone; two heads over all D features: loc, then log-scale. */
  constructor(dim: number, conditioner: Conditioner) {
    this.dim = dim;
    this.contextDim = conditioner.inputs;
    this.#standard = new StandardNormal(dim);
    const transformer = new AffineTransformer({ scale: 'exp', dividesForward: true });
    this.#whiten = new Coupling(dim, conditioner, transformer, identityOrder(dim), { readsContext: true, name: 'conditional-normal' });
  }

  sample(r: Recorder, context: TiledTensor | null): TiledTensor {
    return this.#whiten.inverse(r, this.#standard.sample(r), { logDet: null, context });
  }

  logDensity(r: Recorder, z: TiledTensor, logDet: TiledTensor, sign: 1 | -1, context: TiledTensor | null): TiledTensor {
    // The whitening's own log-det is a density term, so it adds whatever the sign of the flow's log-det.
    const term = startLogDet(r);
    const whitened = this.#whiten.forward(r, z, { logDet: term, context });
    const logProb = this.#standard.logDensity(r, whitened, logDet, sign);
    r.run(rowSum, { buffers: { terms: term, total: logProb }, params: { features: 1 } });
    return logProb;
  }
}
