import { householder } from '../../kernels/householder.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector } from '../bijector.js';
import { type PackedLinear, packLinear, recordLinear } from '../conditioner/packing.js';
import { householderColumns, transpose } from '../linear-algebra.js';

/**
 * z = H_K … H_1 x + b, H_k = I − 2 v_k v_kᵀ / |v_k|²: an orthogonal matrix, log-det 0. nflows' HouseholderSequence.
 *
 * Where gradients are asked for, forward is a product with the matrix, which is made of the vectors once for all rows.
 */
export class Householder implements Bijector {
  readonly name = 'householder';
  readonly dim: number;
  readonly contextDim = 0;
  readonly #vectors: Float32Array<ArrayBuffer>;
  readonly #constants: Float32Array<ArrayBuffer>;
  #product: PackedLinear | null = null;

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
    if (!r.differentiable) return this.#record(r, x, false);
    this.#product ??= this.#packProduct();
    const y = r.tiled(this.dim, 'reflected');
    recordLinear(r, this.#product, x, y, { label: 'reflections' });
    return y;
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

  #packProduct(): PackedLinear {
    const { dim } = this;
    const weight = Float32Array.from(transpose(householderColumns(this.#vectors, dim, dim), dim, dim));
    const bias = this.#constants.slice(-dim);
    const of = { kind: 'reflections', inputs: { vectors: this.#vectors }, settings: { features: dim } };
    return { ...packLinear({ weight, bias, inputs: dim }), origin: { of, table: 'weight' } };
  }
}
