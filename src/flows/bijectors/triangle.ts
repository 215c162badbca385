// A triangular matrix: a product that skips the zero half forward, a solve by substitution backward.

import { triangularSolve } from '../../kernels/triangular-solve.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { type PackedLinear, packLinear, recordLinear } from '../conditioner/packing.js';
import { addConstant } from './chain.js';
import { splitConstants } from './split-constants.js';

export interface PackedTriangle {
  /** In the order of the places, zero on and above the diagonal: [ceil(D / 8), D, 8]. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** [3, D]: shift, and the two parts of 1 / diagonal. */
  readonly constants: Float32Array<ArrayBuffer>;
  readonly reverse: boolean;
}

/** 1 inside the triangle, [D, D]. */
const triangleMask = (dim: number, side: 'lower' | 'upper', diagonal: boolean): Uint8Array =>
  Uint8Array.from({ length: dim * dim }, (_, at) => {
    const [row, column] = [Math.floor(at / dim), at % dim];
    return row === column ? +diagonal : +(side === 'upper' ? column > row : column < row);
  });

/** What shaders/triangular-solve.wgsl reads. @param matrix float64 [D, D]; entries outside the triangle are not read. */
export function packTriangle(matrix: Float64Array, dim: number, side: 'lower' | 'upper', shift: ArrayLike<number>): PackedTriangle {
  const reverse = side === 'upper';
  const order = Uint32Array.from({ length: dim }, (_, place) => (reverse ? dim - 1 - place : place));
  const { weight } = packLinear({ weight: Float32Array.from(matrix), mask: triangleMask(dim, side, false), inputs: dim }, order, order);
  // The product has the diagonal as float32 rounds it, so the solve inverts just that.
  const reciprocal = Float64Array.from(order, (f) => 1 / Math.fround(matrix[f * dim + f]!));
  const constants = new Float32Array(3 * dim);
  for (const [place, f] of order.entries()) constants[place] = shift[f]!;
  constants.set(splitConstants(reciprocal), dim);
  return { weight, constants, reverse };
}

/** z = T x + shift. */
export class Triangle implements Bijector {
  readonly name: string;
  readonly dim: number;
  readonly contextDim = 0;
  readonly #side: 'lower' | 'upper';
  readonly #matrix: Float64Array;
  readonly #shift: ArrayLike<number>;
  readonly #logDet: number;
  #product: PackedLinear | null = null; // each packed on first use: a flow used in one direction packs its weights once
  #solve: PackedTriangle | null = null;

  /** @param matrix float64 [D, D], row-major, a diagonal without a 0; entries outside the triangle are not read. */
  constructor(matrix: Float64Array, side: 'lower' | 'upper', shift: ArrayLike<number>) {
    this.name = side;
    this.dim = shift.length;
    this.#side = side;
    this.#matrix = matrix;
    this.#shift = shift;
    this.#logDet = Array.from(shift, (_, f) => Math.log(Math.abs(matrix[f * this.dim + f]!))).reduce((sum, value) => sum + value, 0);
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    const { dim } = this;
    this.#product ??= packLinear({
      weight: Float32Array.from(this.#matrix),
      mask: triangleMask(dim, this.#side, true),
      bias: Float32Array.from(this.#shift),
      inputs: dim,
    });
    const y = r.tiled(dim, `${this.#side} product`);
    recordLinear(r, this.#product, x, y, { label: this.#side });
    addConstant(r, call, this.#logDet);
    return y;
  }

  /** Substitution. */
  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    this.#solve ??= packTriangle(this.#matrix, this.dim, this.#side, this.#shift);
    const { weight, constants, reverse } = this.#solve;
    const y = r.tiled(this.dim, `${this.#side} solution`);
    r.run(triangularSolve, {
      buffers: { x: z, weight: r.constant(weight, this.#side), constants: r.constant(constants, `${this.#side} diagonal`), y },
      params: { features: this.dim },
      constants: { REVERSE: reverse },
    });
    addConstant(r, call, -this.#logDet);
    return y;
  }
}
