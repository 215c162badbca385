import { diagonalAffine } from '../../kernels/diagonal-affine.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { addConstant } from './chain.js';
import { splitConstants } from './split-constants.js';

/**
 * z = (x − center) · exp(logScale) + shift, feature by feature: batch norm with running statistics, ActNorm, a learned diagonal base.
 * The constants arrive in float64 and are rounded once; the log-det, their sum, is rounded once too.
 */
export class DiagonalAffine implements Bijector {
  readonly dim: number;
  readonly contextDim = 0;
  readonly #forward: Float32Array<ArrayBuffer>;
  readonly #inverse: Float32Array<ArrayBuffer>;
  readonly #logDet: number;

  /** @param constants float64 [D] each. @param name label, for example `batch-norm`. */
  constructor(
    readonly name: string,
    constants: { readonly center: ArrayLike<number>; readonly logScale: ArrayLike<number>; readonly shift: ArrayLike<number> },
  ) {
    const { center, logScale, shift } = constants;
    this.dim = center.length;
    const minus = Float64Array.from(logScale, (value) => -value);
    this.#forward = packConstants(center, logScale, shift);
    this.#inverse = packConstants(shift, minus, center);
    this.#logDet = Float64Array.from(logScale).reduce((sum, value) => sum + value, 0);
  }

  forward(r: Recorder, x: TiledTensor, { logDet }: BijectorCall): TiledTensor {
    return this.#record(r, x, this.#forward, this.#logDet, logDet);
  }

  inverse(r: Recorder, z: TiledTensor, { logDet }: BijectorCall): TiledTensor {
    return this.#record(r, z, this.#inverse, -this.#logDet, logDet);
  }

  /** Adds the log-det of forward to a tensor, without moving anything: a density term of a base. */
  recordLogDet(r: Recorder, logDet: TiledTensor): void {
    addConstant(r, { logDet, context: null }, this.#logDet);
  }

  #record(r: Recorder, x: TiledTensor, constants: Float32Array<ArrayBuffer>, logAbsDet: number, logDet: TiledTensor | null): TiledTensor {
    const y = r.tiled(this.dim, this.name);
    r.run(diagonalAffine, {
      buffers: { x, constants: r.constant(constants, this.name), y, log_det: logDet ?? r.tiled(1, 'unused') },
      params: { features: this.dim, log_abs_det: logAbsDet },
      constants: { HAS_LOG_DET: logDet !== null },
    });
    return y;
  }
}

/** [4, D]: what is subtracted, the factor's leading 12 bits and its remainder, what is added. */
function packConstants(center: ArrayLike<number>, logFactor: ArrayLike<number>, shift: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const dim = center.length;
  const packed = new Float32Array(4 * dim);
  packed.set(Float32Array.from(center), 0);
  packed.set(splitConstants(Float64Array.from(logFactor, Math.exp)), dim);
  packed.set(Float32Array.from(shift), 3 * dim);
  return packed;
}
