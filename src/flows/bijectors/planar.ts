import { planar } from '../../kernels/planar.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { softplus } from '../scalar.js';
import { type ParameterSource, RowParameters, splat, twoParts } from './row-parameters.js';

/** What the kernel reads for parameters that all rows share: b, u, w, and the constants of û in float64, in two parts each. */
export function packPlanar(u: ArrayLike<number>, w: ArrayLike<number>, b: number): Float32Array<ArrayBuffer> {
  let [dot, square] = [0, 0];
  for (let f = 0; f < w.length; f++) {
    dot += w[f]! * u[f]!;
    square += w[f]! * w[f]!;
  }
  const s = square === 0 ? 1 : softplus(dot); // w = 0: a shift by u h(b)
  const c = s - 1;
  const k = square === 0 ? 0 : (c - dot) / square;
  return splat([b, ...Array.from(u), ...Array.from(w), ...twoParts(k), ...twoParts(c), ...twoParts(s)]);
}

/** h of a planar flow. `slope` is that of the leaky ReLU below 0, in [0, 1]. */
export type PlanarActivation = { readonly kind: 'tanh' } | { readonly kind: 'leaky_relu'; readonly slope: number };

/**
 * x = z + û h(w·z + b): inverse (z → x) is a formula; forward (x → z) solves one scalar equation a row.
 * Rezende and Mohamed 2015, arXiv:1505.05770; shaders/planar.wgsl.
 */
export class Planar implements Bijector {
  readonly name = 'planar';
  readonly contextDim: number;
  readonly #parameters: RowParameters;
  readonly #activation: PlanarActivation;

  /** @param source a table of `packPlanar`, or a network whose outputs are b, u [D], w [D]. */
  constructor(
    readonly dim: number,
    source: ParameterSource,
    activation: PlanarActivation,
  ) {
    this.#parameters = new RowParameters(source);
    this.#activation = activation;
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
    const activation = this.#activation;
    r.run(planar, {
      buffers: { x, parameters, y, log_det: logDet ?? r.tiled(1, 'unused') },
      params: {
        features: this.dim,
        parameter_features: parameterFeatures,
        negative_slope: activation.kind === 'tanh' ? 0 : activation.slope,
      },
      constants: {
        PER_ROW: this.#parameters.perRow,
        LEAKY: activation.kind === 'leaky_relu',
        UNDO: undo,
        HAS_LOG_DET: logDet !== null,
      },
    });
    return y;
  }
}
