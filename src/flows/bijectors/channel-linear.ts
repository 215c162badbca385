import { ValueError } from '../../runtime/errors.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { Origin, TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { type ImageShape, type PackedConv, packConv, recordConv } from '../conditioner/conv-net.js';
import { identityOrder } from '../conditioner/packing.js';
import { invertMatrix } from '../linear-algebra.js';
import { addConstant } from './chain.js';

/**
 * z[·, p] = M (x[·, p] − center) at every pixel p: an invertible 1×1 convolution, with the ActNorm before it folded in. The inverse matrix
 * and the log-det are taken in float64 on the host and rounded once; either direction is one dispatch.
 * Kingma and Dhariwal 2018, arXiv:1807.03039, section 3.2.
 */
export class ChannelLinear implements Bijector {
  readonly name = 'channel-linear';
  readonly dim: number;
  readonly contextDim = 0;
  readonly #shape: ImageShape;
  readonly #forward: PackedConv;
  readonly #inverse: PackedConv;
  readonly #logDet: number;
  readonly #origin: Origin;

  /**
   * @param matrix float64 [C, C], row-major. @param center float64 [C].
   * @param origin of the packed matrix, `weight`, and of its log-det at all pixels. @param checked whether to throw.
   * @throws ValueError where the matrix is singular, or its inverse is not finite in float32.
   */
  constructor(shape: ImageShape, matrix: Float64Array, center: ArrayLike<number>, origin: Origin, checked = true) {
    const [channels, height, width] = shape;
    const { inverse, logAbsDet } = invertMatrix(matrix, channels);
    if (checked && !(Number.isFinite(logAbsDet) && inverse.every((value) => Number.isFinite(Math.fround(value)))))
      throw new ValueError('channel-linear: the matrix', 'an inverse in float32', 'a singular matrix');
    const layer = { inputs: channels, outputs: channels, kernel: 1, slope: 1 };
    const order = identityOrder(channels);
    this.dim = channels * height * width;
    this.#shape = shape;
    this.#forward = packConv({ ...layer, weight: matrix, bias: null, center }, order);
    this.#inverse = packConv({ ...layer, weight: inverse, bias: center }, order);
    this.#logDet = height * width * logAbsDet;
    this.#origin = origin;
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, x, this.#forward, this.#logDet, call, this.#origin);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, z, this.#inverse, -this.#logDet, call, { ...this.#origin, kind: 'channel inverse' });
  }

  #record(r: Recorder, x: TiledTensor, packed: PackedConv, logAbsDet: number, call: BijectorCall, of: Origin): TiledTensor {
    const [, height, width] = this.#shape;
    const y = r.tiled(this.dim, 'channels mixed');
    const layout = { channel: height * width, pixel: 1 };
    recordConv(
      r,
      packed,
      { tensor: x, ...layout },
      { tensor: y, ...layout },
      { label: '1x1', height, width, origin: { of, table: 'weight' } },
    );
    addConstant(r, call, logAbsDet, { of, table: 'log_det' });
    return y;
  }
}
