import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { DiagonalAffine } from '../bijectors/diagonal-affine.js';
import type { Base } from './base.js';
import { StandardNormal } from './standard-normal.js';

/** N(loc, diag(exp(2 logScale))): the standard normal behind an affine map. */
export class DiagonalNormal implements Base {
  readonly dim: number;
  readonly contextDim = 0;
  readonly #standard: StandardNormal;
  readonly #whiten: DiagonalAffine;

  constructor(loc: ArrayLike<number>, logScale: ArrayLike<number>) {
    this.dim = loc.length;
    this.#standard = new StandardNormal(this.dim);
    this.#whiten = new DiagonalAffine('base', {
      center: loc,
      logScale: { raw: Float32Array.from(logScale, (value) => -value) },
      shift: new Float64Array(this.dim),
    });
  }

  sample(r: Recorder): TiledTensor {
    return this.#whiten.inverse(r, this.#standard.sample(r), { logDet: null, context: null });
  }

  logDensity(r: Recorder, z: TiledTensor, logDet: TiledTensor, sign: 1 | -1): TiledTensor {
    // The whitening's own log-det is a density term, so it adds whatever the sign of the flow's log-det.
    const whitened = this.#whiten.forward(r, z, { logDet: null, context: null });
    const logProb = this.#standard.logDensity(r, whitened, logDet, sign);
    this.#whiten.recordLogDet(r, logProb);
    return logProb;
  }
}
