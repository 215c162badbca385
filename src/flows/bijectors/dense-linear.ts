import { ValueError } from '../../runtime/errors.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { type PackedLinear, packLinear, recordLinear } from '../conditioner/packing.js';
import { factorize } from '../linear-algebra.js';
import { addConstant, Chain, Inverse } from './chain.js';
import { Permutation } from './permutation.js';
import { Triangle } from './triangle.js';

/**
 * z = M x with a dense matrix. Forward is one product; the inverse solves with the factors P M = L U, found in float64 on the host. What it
 * returns for M x maps to M x again within rounding; a product with M⁻¹ misses it by the condition of M times as much (docs/flows/linear.md).
 */
export class DenseLinear implements Bijector {
  readonly name = 'dense-linear';
  readonly dim: number;
  readonly contextDim = 0;
  readonly #product: PackedLinear;
  readonly #factors: Chain;
  readonly #logDet: number;
  readonly #weight: Float32Array<ArrayBuffer>;

  /** @param matrix float64 [D, D], row-major. @param checked whether to throw. @throws ValueError where the matrix is singular. */
  constructor(matrix: Float64Array, dim: number, checked = true) {
    const { factors, order, logAbsDet } = factorize(matrix, dim);
    const vanishes = Array.from({ length: dim }, (_, i) => factors[i * dim + i]!).some((value) => !(Math.abs(value) > 2 ** -126));
    if (checked && (vanishes || !Number.isFinite(logAbsDet)))
      throw new ValueError('dense-linear: the matrix', 'a determinant other than 0', 'a singular matrix');
    const unit = factors.slice();
    for (let i = 0; i < dim; i++) unit[i * dim + i] = 1;
    this.dim = dim;
    this.#weight = Float32Array.from(matrix);
    this.#product = packLinear({ weight: this.#weight, inputs: dim });
    const zero = new Float64Array(dim);
    const pivots = new Inverse(new Permutation(order));
    this.#factors = new Chain(dim, [new Triangle(factors, 'upper', zero), new Triangle(unit, 'lower', zero), pivots], 'factors');
    this.#logDet = logAbsDet;
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    const y = r.tiled(this.dim, 'product');
    recordLinear(r, this.#product, x, y, { label: 'matrix' });
    const of = { kind: 'determinant', inputs: { matrix: this.#weight }, settings: { factor: 1 } };
    addConstant(r, call, this.#logDet, { of, table: 'log_det' });
    return y;
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#factors.inverse(r, z, call);
  }
}
