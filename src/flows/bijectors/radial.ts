import { radial } from '../../kernels/radial.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { softplus } from '../scalar.js';
import { type ParameterSource, RowParameters, splat, twoParts } from './row-parameters.js';

/** What the kernel reads for parameters that all rows share. @param alpha positive. @param beta before its softplus. */
export function packRadial(center: ArrayLike<number>, alpha: number, beta: number): Float32Array<ArrayBuffer> {
  const rounded = Math.fround(alpha);
  const s = softplus(beta);
  return splat([...Array.from(center), rounded, ...twoParts(s), ...twoParts(s - rounded)]);
}

/**
 * x = z + β̂ / (α + |z − z0|) (z − z0), closed in both directions. Rezende and Mohamed 2015, arXiv:1505.05770; shaders/radial.wgsl.
 */
export class Radial implements Bijector {
  readonly name = 'radial';
  readonly contextDim: number;
  readonly #parameters: RowParameters;
  readonly #alphaSoftplus: boolean;

  /**
   * @param source a table of `packRadial`, or a network whose outputs are z0 [D], alpha, beta.
   * @param alphaSoftplus for a network: α = softplus(alpha) instead of |alpha|.
   */
  constructor(
    readonly dim: number,
    source: ParameterSource,
    alphaSoftplus = false,
  ) {
    this.#parameters = new RowParameters(source);
    this.#alphaSoftplus = alphaSoftplus;
    this.contextDim = this.#parameters.contextDim;
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, x, call, true);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, z, call, false);
  }

  #record(r: Recorder, x: TiledTensor, { logDet, context }: BijectorCall, undo: boolean): TiledTensor {
    const { parameters, parameterFeatures } = this.#parameters.record(r, context);
    const y = r.tiled(this.dim, undo ? 'z' : 'x');
    r.run(radial, {
      buffers: { x, parameters, y, log_det: logDet ?? r.tiled(1, 'unused') },
      params: { features: this.dim, parameter_features: parameterFeatures },
      constants: {
        PER_ROW: this.#parameters.perRow,
        ALPHA_SOFTPLUS: this.#alphaSoftplus && this.#parameters.perRow,
        UNDO: undo,
        HAS_LOG_DET: logDet !== null,
      },
    });
    return y;
  }
}
