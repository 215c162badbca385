import { uniform } from '../../kernels/uniform.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Base } from './base.js';

/** Uniform on [low, high]^D: the base of flows on a box or a torus. The density outside is 0. */
export class Uniform implements Base {
  readonly contextDim = 0;
  readonly #params: { readonly dim: number; readonly low: number; readonly high: number; readonly log_volume: number };

  constructor(
    readonly dim: number,
    low: number,
    high: number,
  ) {
    this.#params = { dim, low, high, log_volume: dim * Math.log(high - low) };
  }

  sample(r: Recorder): TiledTensor {
    const z = r.tiled(this.dim, 'noise');
    r.run(uniform.sample, { buffers: { z }, params: { ...this.#params, sign: 1 } });
    return z;
  }

  logDensity(r: Recorder, z: TiledTensor, logDet: TiledTensor, sign: 1 | -1): TiledTensor {
    const logProb = r.tiled(1, 'log-density');
    r.run(uniform.logDensity, { buffers: { source: z, log_det: logDet, log_prob: logProb }, params: { ...this.#params, sign } });
    return logProb;
  }
}
