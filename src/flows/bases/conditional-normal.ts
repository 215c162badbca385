import { classTable } from '../../kernels/class-table.js';
import { rowSum } from '../../kernels/row-sum.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector } from '../bijector.js';
import { ConditionedMap } from '../bijectors/conditioned-map.js';
import { Coupling } from '../bijectors/coupling.js';
import type { Conditioner } from '../conditioner/conditioner.js';
import { identityOrder } from '../conditioner/packing.js';
import { startLogDet } from '../task.js';
import { AffineTransformer } from '../transformers/affine.js';
import type { Base } from './base.js';
import { StandardNormal } from './standard-normal.js';

/** N(loc(c), diag(exp(2 logScale(c)))): the standard normal behind an affine map that the context parameterises. */
class ConditionalNormal implements Base {
  readonly dim: number;
  readonly contextDim: number;
  readonly #standard: StandardNormal;
  readonly #whiten: Bijector;

  constructor(whiten: Bijector) {
    this.dim = whiten.dim;
    this.contextDim = whiten.contextDim;
    this.#standard = new StandardNormal(whiten.dim);
    this.#whiten = whiten;
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

const transformer = () => new AffineTransformer({ scale: 'exp', dividesForward: true });

/** By a network. @param conditioner reads the context alone; two heads over all D features: loc, then log-scale. */
export const conditionalNormal = (dim: number, conditioner: Conditioner): Base =>
  new ConditionalNormal(
    new Coupling(dim, conditioner, transformer(), identityOrder(dim), { readsContext: true, name: 'conditional-normal' }),
  );

/**
 * By the class of the row, a context feature that holds 0 … K − 1. Any other value there, a fraction or NaN, makes the row's draw and
 * density NaN. Kingma and Dhariwal 2018, arXiv:1807.03039.
 *
 * @param table [K, 2 D], row-major: loc, then log-scale. @param label context feature that holds the class.
 */
export function classNormal(dim: number, table: Float32Array<ArrayBuffer>, label: number): Base {
  const [features, classes] = [2 * dim, table.length / (2 * dim)];
  const slots = { slot: identityOrder(dim), slots: dim };
  const whiten = new ConditionedMap('class-normal', dim, label + 1, transformer(), slots, (r, _, context) => {
    const y = r.tiled(features, 'parameters');
    r.run(classTable, {
      buffers: { labels: context!, table: r.constant(table, 'classes'), y },
      params: { features, classes, label_features: context!.features, label_at: label },
    });
    return y;
  });
  return new ConditionalNormal(whiten);
}
