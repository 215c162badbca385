import { ValueError } from '../../runtime/errors.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { Origin, TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { type ImageShape, type PackedConv, packConv, recordConv } from '../conditioner/conv-net.js';
import { identityOrder } from '../conditioner/packing.js';
import { invertMatrix } from '../linear-algebra.js';
import { addConstant } from './chain.js';
import type { DiagonalAffine } from './diagonal-affine.js';

/** A matrix that parameters are copied into; row-major [C, C]. */
export interface ChannelFactor {
  readonly matrix: ArrayLike<number>;
  /** What its diagonal is made of: on · e^raw, each [C, C] and 0 beside the diagonal, with the other entries in `raw`. */
  readonly diagonal?: { readonly raw: ArrayLike<number>; readonly on: ArrayLike<number> };
  /** log|det| of it times the pixels, and where that comes from; left out for 0. */
  readonly logDet?: { readonly value: number; readonly origin: Origin };
}

/** The map as steps whose numbers are copies of parameters: an ActNorm, then matrices from the first to the last. */
export interface ChannelSteps {
  readonly actNorm: DiagonalAffine | null;
  readonly factors: readonly ChannelFactor[];
}

/**
 * z[·, p] = M (x[·, p] − center) at every pixel p: an invertible 1×1 convolution, with the ActNorm before it folded in. The inverse matrix
 * and the log-det are taken in float64 on the host and rounded once; either direction is one dispatch. Where gradients are asked for,
 * forward goes step by step. Kingma and Dhariwal 2018, arXiv:1807.03039, section 3.2.
 */
export class ChannelLinear implements Bijector {
  readonly name = 'channel-linear';
  readonly dim: number;
  readonly contextDim = 0;
  readonly #shape: ImageShape;
  readonly #forward: PackedConv;
  readonly #inverse: PackedConv;
  readonly #logDet: number;
  readonly #steps: () => ChannelSteps;

  /**
   * @param matrix float64 [C, C], row-major. @param center float64 [C].
   * @param steps the same map. @param checked whether to throw.
   * @throws ValueError where the matrix is singular, or its inverse is not finite in float32.
   */
  constructor(shape: ImageShape, matrix: Float64Array, center: ArrayLike<number>, steps: () => ChannelSteps, checked = true) {
    const [channels, height, width] = shape;
    const { inverse, logAbsDet } = invertMatrix(matrix, channels);
    if (checked && !(Number.isFinite(logAbsDet) && inverse.every((value) => Number.isFinite(Math.fround(value)))))
      throw new ValueError('channel-linear: the matrix', 'an inverse in float32', 'a singular matrix');
    const order = identityOrder(channels);
    this.dim = channels * height * width;
    this.#shape = shape;
    this.#forward = packConv({ ...layerOf(channels), weight: matrix, bias: null, center }, order);
    this.#inverse = packConv({ ...layerOf(channels), weight: inverse, bias: center }, order);
    this.#logDet = height * width * logAbsDet;
    this.#steps = steps;
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    if (r.differentiable) return this.#recordSteps(r, x, call);
    addConstant(r, call, this.#logDet);
    return this.#record(r, x, this.#forward);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    addConstant(r, call, -this.#logDet);
    return this.#record(r, z, this.#inverse);
  }

  #record(r: Recorder, x: TiledTensor, packed: PackedConv, origin?: Origin): TiledTensor {
    const [, height, width] = this.#shape;
    const y = r.tiled(this.dim, 'channels mixed');
    const layout = { channel: height * width, pixel: 1 };
    const call = { label: '1x1', height, width, ...(origin && { origin: { of: origin, table: 'entries' } }) };
    recordConv(r, packed, { tensor: x, ...layout }, { tensor: y, ...layout }, call);
    return y;
  }

  #recordSteps(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    const { actNorm, factors } = this.#steps();
    const layer = layerOf(this.#shape[0]);
    const order = identityOrder(layer.inputs);
    const pack = (weight: ArrayLike<number>) => packConv({ ...layer, weight, bias: null }, order);
    let value = actNorm ? actNorm.forward(r, x, call) : x;
    for (const { matrix, diagonal, logDet } of factors) {
      if (logDet) addConstant(r, call, logDet.value, { of: logDet.origin, table: 'log_det' });
      const origin = diagonal && {
        kind: 'diagonal entries',
        inputs: { raw: pack(diagonal.raw).weight, on: pack(diagonal.on).weight },
        settings: { map: 'identity', setting: 0 },
      };
      value = this.#record(r, value, pack(matrix), origin);
    }
    return value;
  }
}

const layerOf = (channels: number) => ({ inputs: channels, outputs: channels, kernel: 1, slope: 1 });
