// Linear layers by factors that can be solved: L U, and Q R with Q a product of reflections. Both directions keep the factors, so the
// inverse is as exact as the matrix is; see docs/flows/linear.md.

import { householder } from '../../kernels/householder.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector } from '../bijector.js';
import { Chain } from './chain.js';
import { Triangle } from './triangle.js';

/**
 * z = L (U x) + b. Forward is two products that skip the zero halves, inverse two substitutions. nflows' LULinear.
 *
 * @param lower, upper float64 [D, D], row-major; diagonals without a 0. @param bias [D].
 */
export const luLinear = (lower: Float64Array, upper: Float64Array, bias: ArrayLike<number>): Bijector =>
  new Chain(bias.length, [new Triangle(upper, 'upper', new Float64Array(bias.length)), new Triangle(lower, 'lower', bias)], 'lu-linear');

/**
 * z = Q (R x) + b, R upper triangular, Q reflections. Forward is a product and reflections, inverse reflections and a substitution.
 *
 * @param upper float64 [D, D]. @param vectors [K, D]. @param bias [D].
 */
export const qrLinear = (upper: Float64Array, vectors: ArrayLike<number>, bias: ArrayLike<number>): Bijector =>
  new Chain(bias.length, [new Triangle(upper, 'upper', new Float64Array(bias.length)), new Householder(vectors, bias)], 'qr-linear');

/** z = H_K … H_1 x + b, H_k = I − 2 v_k v_kᵀ / |v_k|²: an orthogonal matrix, log-det 0. nflows' HouseholderSequence. */
export class Householder implements Bijector {
  readonly name = 'householder';
  readonly dim: number;
  readonly contextDim = 0;
  readonly #vectors: Float32Array<ArrayBuffer>;
  readonly #constants: Float32Array<ArrayBuffer>;

  /** @param vectors [K, D], row-major, none of them 0. @param bias [D]. */
  constructor(vectors: ArrayLike<number>, bias: ArrayLike<number>) {
    const dim = bias.length;
    this.dim = dim;
    this.#vectors = Float32Array.from(vectors);
    const count = vectors.length / dim;
    this.#constants = new Float32Array(2 * count + dim);
    for (let k = 0; k < count; k++) {
      const square = this.#vectors.subarray(k * dim, (k + 1) * dim).reduce((sum, value) => sum + value * value, 0);
      this.#constants[k] = 2 / square;
      this.#constants[count + k] = 2 / square - this.#constants[k]!;
    }
    this.#constants.set(Float32Array.from(bias), 2 * count);
  }

  forward(r: Recorder, x: TiledTensor): TiledTensor {
    return this.#record(r, x, false);
  }

  inverse(r: Recorder, z: TiledTensor): TiledTensor {
    return this.#record(r, z, true);
  }

  #record(r: Recorder, x: TiledTensor, reverse: boolean): TiledTensor {
    const y = r.tiled(this.dim, 'reflected');
    r.run(householder, {
      buffers: { x, vectors: r.constant(this.#vectors, 'vectors'), constants: r.constant(this.#constants, 'factors'), y },
      params: { features: this.dim, reflections: this.#vectors.length / this.dim },
      constants: { REVERSE: reverse },
    });
    return y;
  }
}
