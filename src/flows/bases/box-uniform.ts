import { boxUniform } from '../../kernels/box-uniform.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Base } from './base.js';

/** Uniform on the box low ≤ z ≤ high; log-density −∞ outside it. */
export class BoxUniform implements Base {
  readonly dim: number;
  readonly contextDim = 0;
  readonly #bounds: Float32Array<ArrayBuffer>;
  readonly #constant: number;

  /** @param low, high [D], low below high in float32. */
  constructor(low: ArrayLike<number>, high: ArrayLike<number>) {
    this.dim = low.length;
    this.#bounds = Float32Array.from([...Array.from(low), ...Array.from(high)]);
    let logVolume = 0;
    for (let f = 0; f < this.dim; f++) logVolume += Math.log(this.#bounds[this.dim + f]! - this.#bounds[f]!);
    this.#constant = -logVolume;
  }

  sample(r: Recorder): TiledTensor {
    const z = r.tiled(this.dim, 'noise');
    r.run(boxUniform.sample, {
      buffers: { bounds: r.constant(this.#bounds, 'box'), z },
      params: { dim: this.dim, sign: 1, constant: this.#constant },
    });
    return z;
  }

  logDensity(r: Recorder, z: TiledTensor, logDet: TiledTensor, sign: 1 | -1): TiledTensor {
    const logProb = r.tiled(1, 'log-density');
    r.run(boxUniform.logDensity, {
      buffers: { bounds: r.constant(this.#bounds, 'box'), source: z, log_det: logDet, log_prob: logProb },
      params: { dim: this.dim, sign, constant: this.#constant },
    });
    return logProb;
  }
}
