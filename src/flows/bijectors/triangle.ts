// A triangular matrix as both directions of a linear layer need it: a product that skips the zero half, and a solve by substitution.

import { triangularSolve } from '../../kernels/triangular-solve.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { Origin, TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { identityOrder, type PackedLinear, packLinear, recordLinear } from '../conditioner/packing.js';
import { addConstant } from './chain.js';
import { type LogScale, logScales } from './diagonal-affine.js';
import { splitConstants } from './split-constants.js';

export interface PackedTriangle {
  /** In the order of the places, zero on and above the diagonal: [ceil(D / 8), D, 8]. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** [3, D]: shift, and the two parts of 1 / diagonal. */
  readonly constants: Float32Array<ArrayBuffer>;
  readonly reverse: boolean;
}

const halfMask = (dim: number, holds: (row: number, column: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: dim * dim }, (_, at) => (holds(Math.floor(at / dim), at % dim) ? 1 : 0));

/** What shaders/triangular-solve.wgsl reads. @param matrix float64 [D, D]; entries outside the triangle are not read. */
export function packTriangle(matrix: Float64Array, dim: number, side: 'lower' | 'upper', shift: ArrayLike<number>): PackedTriangle {
  const reverse = side === 'upper';
  const order = Uint32Array.from({ length: dim }, (_, place) => (reverse ? dim - 1 - place : place));
  const mask = halfMask(dim, (row, column) => (reverse ? column > row : column < row));
  const { weight } = packLinear({ weight: Float32Array.from(matrix), mask, bias: null, inputs: dim }, order, order);
  // The product has the diagonal as float32 rounds it, so the solve inverts just that.
  const reciprocal = Float64Array.from(order, (f) => 1 / Math.fround(matrix[f * dim + f]!));
  const constants = new Float32Array(3 * dim);
  for (const [place, f] of order.entries()) constants[place] = shift[f]!;
  constants.set(splitConstants(reciprocal), dim);
  return { weight, constants, reverse };
}

/** z = T x + shift: forward a product, inverse a substitution. */
export class Triangle implements Bijector {
  readonly name: string;
  readonly dim: number;
  readonly contextDim = 0;
  readonly #side: 'lower' | 'upper';
  readonly #matrix: Float64Array;
  readonly #shift: Float64Array;
  #product: PackedLinear | null = null; // each packed on first use: a flow used in one direction packs its weights once
  #solve: PackedTriangle | null = null;
  readonly #logDet: number;
  readonly #diagonal: LogScale | null;
  #origins: { readonly weight: Origin; readonly logDet: Origin } | null = null;

  /**
   * @param matrix float64 [D, D], row-major, no 0 on its diagonal; entries outside the triangle are not read.
   * @param diagonal what a learned diagonal is made from; `shift` is 0 beside it.
   */
  constructor(matrix: Float64Array, side: 'lower' | 'upper', shift: ArrayLike<number>, diagonal: LogScale | null = null) {
    this.#diagonal = diagonal;
    this.name = side;
    this.dim = shift.length;
    this.#logDet = identityOrder(this.dim).reduce((sum, f) => sum + Math.log(Math.abs(matrix[f * this.dim + f]!)), 0);
    this.#side = side;
    this.#matrix = matrix;
    this.#shift = Float64Array.from(shift);
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    const { dim } = this;
    this.#product ??= this.#packProduct(Float32Array.from(this.#matrix));
    const origins = this.#originsFor(r);
    addConstant(r, call, this.#logDet, origins && { of: origins.logDet, table: 'log_det' });
    const y = r.tiled(dim, `${this.#side} product`);
    const weight = origins && r.constant(this.#product.weight, this.#side, { of: origins.weight, table: 'entries' });
    recordLinear(r, this.#product, x, y, { label: this.#side, ...(weight && { weight }) });
    return y;
  }

  #packProduct(weight: Float32Array<ArrayBuffer>): PackedLinear {
    const mask = halfMask(this.dim, (row, column) => (this.#side === 'upper' ? column >= row : column <= row));
    return packLinear({ weight, mask, bias: Float32Array.from(this.#shift), inputs: this.dim });
  }

  /** The packed weights with the raw numbers on the diagonal, and marks there. */
  #originsFor(r: Recorder): { readonly weight: Origin; readonly logDet: Origin } | undefined {
    const diagonal = r.differentiable && this.#diagonal;
    if (!diagonal) return undefined;
    if (!this.#origins) {
      const { dim } = this;
      const raw = Float32Array.from(this.#matrix);
      const on = new Float32Array(dim * dim);
      for (let i = 0; i < dim; i++) {
        raw[i * dim + i] = diagonal.raw[i]!;
        on[i * dim + i] = 1;
      }
      const inputs = { raw: this.#packProduct(raw).weight, on: this.#packProduct(on).weight };
      const { map = 'identity', setting = 0 } = diagonal;
      this.#origins = { weight: { kind: 'diagonal entries', inputs, settings: { map, setting } }, logDet: logScales(diagonal).origin };
    }
    return this.#origins;
  }

  inverse(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    addConstant(r, call, -this.#logDet);
    this.#solve ??= packTriangle(this.#matrix, this.dim, this.#side, this.#shift);
    const { weight, constants, reverse } = this.#solve;
    const origins = this.#originsFor(r);
    const y = r.tiled(this.dim, `${this.#side} solution`);
    r.run(triangularSolve, {
      buffers: {
        x,
        weight: r.constant(weight, this.#side),
        constants: r.constant(
          constants,
          `${this.#side} diagonal`,
          origins && { of: { ...origins.logDet, kind: this.#side }, table: 'constants' },
        ),
        y,
      },
      params: { features: this.dim },
      constants: { REVERSE: reverse },
    });
    return y;
  }
}
