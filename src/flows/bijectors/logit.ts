import { logit } from '../../kernels/logit.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { withLogTerms } from '../transformers/transformer.js';

/**
 * z = log(y / (1 − y)), y = α + (1 − 2 α) x: data of the unit interval on the line. `new Inverse(…)` of it is a sigmoid.
 * Dinh et al. 2017, arXiv:1605.08803, section 4.1.
 */
export class Logit implements Bijector {
  readonly name = 'logit';
  readonly contextDim = 0;

  /** @param alpha in [0, 1/2). */
  constructor(
    readonly dim: number,
    readonly alpha: number,
  ) {}

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, x, call, false);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, z, call, true);
  }

  #record(r: Recorder, x: TiledTensor, { logDet }: BijectorCall, undo: boolean): TiledTensor {
    const y = r.tiled(this.dim, undo ? 'unit' : 'logit');
    const counted = logDet !== null;
    withLogTerms(r, { slots: this.dim, logDet }, counted, (terms) =>
      r.run(logit, {
        buffers: { x, y, log_terms: terms },
        params: { features: this.dim, alpha: this.alpha, log_range: Math.log1p(-2 * this.alpha) },
        constants: { UNDO: undo, HAS_LOG_DET: counted },
      }),
    );
    return y;
  }
}
