// A triangular matrix as both directions of a linear layer need it: a product that skips the zero half, and a solve by substitution.

import { triangularSolve } from '../../kernels/triangular-solve.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { identityOrder, type PackedLinear, packLinear, recordLinear } from '../conditioner/packing.js';
import { splitConstants } from './split-constants.js';

export interface PackedTriangle {
  /** In the order of the places, zero on and above the diagonal: [ceil(D / 8), D, 8]. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** [3, D]: shift, and the two parts of 1 / diagonal. */
  readonly constants: Float32Array<ArrayBuffer>;
  readonly reverse: boolean;
}

/** What shaders/triangular-solve.wgsl reads. @param matrix float64 [D, D]; entries outside the triangle are not read. */
export function packTriangle(matrix: Float64Array, dim: number, side: 'lower' | 'upper', shift: ArrayLike<number>): PackedTriangle {
  const reverse = side === 'upper';
  const order = Uint32Array.from({ length: dim }, (_, place) => (reverse ? dim - 1 - place : place));
  const strict = Uint8Array.from({ length: dim * dim }, (_, at) => {
    const [row, column] = [Math.floor(at / dim), at % dim];
    return (reverse ? column > row : column < row) ? 1 : 0;
  });
  const { weight } = packLinear({ weight: Float32Array.from(matrix), mask: strict, bias: null, inputs: dim }, order, order);
  // The product has the diagonal as float32 rounds it, so the solve inverts just that.
  const reciprocal = Float64Array.from(order, (f) => 1 / Math.fround(matrix[f * dim + f]!));
  const constants = new Float32Array(3 * dim);
  for (const [place, f] of order.entries()) constants[place] = shift[f]!;
  constants.set(splitConstants(reciprocal), dim);
  return { weight, constants, reverse };
}

export class Triangle {
  readonly #dim: number;
  readonly #side: 'lower' | 'upper';
  readonly #matrix: Float64Array;
  readonly #shift: Float64Array;
  #product: PackedLinear | null = null; // each packed on first use: a flow used in one direction packs its weights once
  #solve: PackedTriangle | null = null;

  /** @param matrix float64 [D, D], row-major; entries outside the triangle are not read. @param shift added to the product. */
  constructor(matrix: Float64Array, side: 'lower' | 'upper', shift: ArrayLike<number>) {
    this.#dim = shift.length;
    this.#side = side;
    this.#matrix = matrix;
    this.#shift = Float64Array.from(shift);
  }

  /** Records T x + shift. */
  multiply(r: Recorder, x: TiledTensor): TiledTensor {
    const dim = this.#dim;
    if (!this.#product) {
      const mask = Uint8Array.from({ length: dim * dim }, (_, at) => {
        const [row, column] = [Math.floor(at / dim), at % dim];
        return (this.#side === 'upper' ? column >= row : column <= row) ? 1 : 0;
      });
      const weight = Float32Array.from(this.#matrix);
      this.#product = packLinear(
        { weight, mask, bias: Float32Array.from(this.#shift), inputs: dim },
        identityOrder(dim),
        identityOrder(dim),
      );
    }
    const y = r.tiled(dim, `${this.#side} product`);
    recordLinear(r, this.#product, x, y, { label: this.#side });
    return y;
  }

  /** Records T⁻¹ (x − shift). */
  solve(r: Recorder, x: TiledTensor): TiledTensor {
    this.#solve ??= packTriangle(this.#matrix, this.#dim, this.#side, this.#shift);
    const { weight, constants, reverse } = this.#solve;
    const y = r.tiled(this.#dim, `${this.#side} solution`);
    r.run(triangularSolve, {
      buffers: { x, weight: r.constant(weight, this.#side), constants: r.constant(constants, `${this.#side} diagonal`), y },
      params: { features: this.#dim },
      constants: { REVERSE: reverse },
    });
    return y;
  }
}
