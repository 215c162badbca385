import { PASSES } from '../../kernels/affine.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { recordSpline, type SplineSettings, splineParameters } from '../transformers/spline.js';

/** A spline of its own for each of some features, the same for all rows and contexts; the other features pass. */
export class SharedSpline implements Bijector {
  readonly contextDim = 0;
  readonly #settings: SplineSettings;
  readonly #slot: Uint32Array<ArrayBuffer>;
  readonly #slots: number;
  /** [P, slots], each number four times: the kernel reads four rows at once. */
  readonly #parameters: Float32Array<ArrayBuffer>;

  /**
   * @param features the feature of each slot.
   * @param parameters number p of slot j, p < splineParameters(settings).
   */
  constructor(
    readonly dim: number,
    settings: SplineSettings,
    features: ArrayLike<number>,
    parameters: (p: number, slot: number) => number,
    readonly name = 'spline',
  ) {
    this.#settings = settings;
    this.#slots = features.length;
    this.#slot = new Uint32Array(dim).fill(PASSES);
    for (let slot = 0; slot < features.length; slot++) this.#slot[features[slot]!] = slot;
    const count = 4 * splineParameters(settings) * this.#slots;
    this.#parameters = Float32Array.from({ length: count }, (_, at) =>
      parameters(Math.floor(at / (4 * this.#slots)), Math.floor(at / 4) % this.#slots),
    );
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, x, call, true);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, z, call, false);
  }

  #record(r: Recorder, value: TiledTensor, { logDet }: BijectorCall, forward: boolean): TiledTensor {
    return recordSpline(r, this.#settings, value, {
      parameters: this.#parameters.length > 0 ? r.constant(this.#parameters, 'spline parameters') : NONE,
      parameterFeatures: 1,
      shared: true,
      slot: this.#slot,
      slots: this.#slots,
      forward,
      logDet,
    });
  }
}
