// Linear layers by factors that can be solved: L U, and Q R with Q a product of reflections. Both directions keep the factors, so the
// inverse is as exact as the matrix is; see docs/flows/linear.md.

import { fill } from '../../kernels/fill.js';
import { householder } from '../../kernels/householder.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { Triangle } from './triangle.js';

/** Adds a constant log-det. */
function recordLogDet(r: Recorder, logDet: TiledTensor | null, value: number): void {
  if (logDet && value !== 0) r.run(fill, { buffers: { destination: logDet }, params: { features: 1, value }, constants: { ADD: true } });
}

/** Σ log|diagonal| in float64. */
const logDiagonal = (matrix: Float64Array, dim: number): number =>
  Array.from({ length: dim }, (_, f) => Math.log(Math.abs(matrix[f * dim + f]!))).reduce((sum, value) => sum + value, 0);

/** z = L (U x) + b. Forward is two products that skip the zero halves, inverse two substitutions. nflows' LULinear. */
export class LuLinear implements Bijector {
  readonly name = 'lu-linear';
  readonly dim: number;
  readonly contextDim = 0;
  readonly #lower: Triangle;
  readonly #upper: Triangle;
  readonly #logDet: number;

  /** @param lower, upper float64 [D, D], row-major; diagonals without a 0. @param bias [D]. */
  constructor(lower: Float64Array, upper: Float64Array, bias: ArrayLike<number>) {
    this.dim = bias.length;
    this.#lower = new Triangle(lower, 'lower', bias);
    this.#upper = new Triangle(upper, 'upper', new Float64Array(this.dim));
    this.#logDet = logDiagonal(lower, this.dim) + logDiagonal(upper, this.dim);
  }

  forward(r: Recorder, x: TiledTensor, { logDet }: BijectorCall): TiledTensor {
    recordLogDet(r, logDet, this.#logDet);
    return this.#lower.multiply(r, this.#upper.multiply(r, x));
  }

  inverse(r: Recorder, z: TiledTensor, { logDet }: BijectorCall): TiledTensor {
    recordLogDet(r, logDet, -this.#logDet);
    return this.#upper.solve(r, this.#lower.solve(r, z));
  }
}

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

/** z = Q (R x) + b, R upper triangular, Q reflections. Forward is a product and reflections, inverse reflections and a substitution. */
export class QrLinear implements Bijector {
  readonly name = 'qr-linear';
  readonly dim: number;
  readonly contextDim = 0;
  readonly #upper: Triangle;
  readonly #orthogonal: Householder;
  readonly #logDet: number;

  /** @param upper float64 [D, D]. @param vectors [K, D]. @param bias [D]. */
  constructor(upper: Float64Array, vectors: ArrayLike<number>, bias: ArrayLike<number>) {
    this.dim = bias.length;
    this.#upper = new Triangle(upper, 'upper', new Float64Array(this.dim));
    this.#orthogonal = new Householder(vectors, bias);
    this.#logDet = logDiagonal(upper, this.dim);
  }

  forward(r: Recorder, x: TiledTensor, { logDet }: BijectorCall): TiledTensor {
    recordLogDet(r, logDet, this.#logDet);
    return this.#orthogonal.forward(r, this.#upper.multiply(r, x));
  }

  inverse(r: Recorder, z: TiledTensor, { logDet }: BijectorCall): TiledTensor {
    recordLogDet(r, logDet, -this.#logDet);
    return this.#upper.solve(r, this.#orthogonal.inverse(r, z));
  }
}
