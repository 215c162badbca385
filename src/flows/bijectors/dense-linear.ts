import { fill } from '../../kernels/fill.js';
import { ValueError } from '../../runtime/errors.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { identityOrder, type PackedLinear, packLinear, recordLinear } from '../conditioner/packing.js';

/** LU decomposition with partial pivoting of a row-major [n, n] float64 matrix: its inverse, and log|det|. */
export function invertMatrix(matrix: Float64Array, n: number): { inverse: Float64Array; logAbsDet: number } {
  const a = matrix.slice();
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) inverse[i * n + i] = 1;
  let logAbsDet = 0;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++) if (Math.abs(a[row * n + column]!) > Math.abs(a[pivot * n + column]!)) pivot = row;
    const value = a[pivot * n + column]!;
    if (!(Math.abs(value) > 0)) return { inverse, logAbsDet: Number.NEGATIVE_INFINITY };
    logAbsDet += Math.log(Math.abs(value));
    for (const m of [a, inverse]) {
      if (pivot === column) break;
      for (let k = 0; k < n; k++) [m[column * n + k], m[pivot * n + k]] = [m[pivot * n + k]!, m[column * n + k]!];
    }
    for (let k = 0; k < n; k++) {
      a[column * n + k]! /= value;
      inverse[column * n + k]! /= value;
    }
    for (let row = 0; row < n; row++) {
      const factor = a[row * n + column]!;
      if (row === column || factor === 0) continue;
      for (let k = 0; k < n; k++) {
        a[row * n + k]! -= factor * a[column * n + k]!;
        inverse[row * n + k]! -= factor * inverse[column * n + k]!;
      }
    }
  }
  return { inverse, logAbsDet };
}

/** z = M x + b with a dense matrix. Inverse and log|det M| are computed once, in float64, on the host. */
export class DenseLinear implements Bijector {
  readonly name = 'dense-linear';
  readonly dim: number;
  readonly contextDim = 0;
  readonly #forward: PackedLinear;
  readonly #inverse: PackedLinear;
  readonly #logDet: number;

  /** @param matrix float64 [D, D], row-major. @param bias float64 [D]. @throws ValueError where the matrix is singular. */
  constructor(matrix: Float64Array, bias: Float64Array) {
    const n = bias.length;
    const { inverse, logAbsDet } = invertMatrix(matrix, n);
    if (!Number.isFinite(logAbsDet)) throw new ValueError('dense-linear: the matrix', 'a determinant other than 0', 'a singular matrix');
    const back = Float64Array.from(bias, (_, row) => -bias.reduce((sum, value, k) => sum + inverse[row * n + k]! * value, 0));
    const pack = (weight: Float64Array, shift: Float64Array) =>
      packLinear(
        { weight: Float32Array.from(weight), mask: null, bias: Float32Array.from(shift), inputs: n },
        identityOrder(n),
        identityOrder(n),
      );
    this.dim = n;
    this.#forward = pack(matrix, bias);
    this.#inverse = pack(inverse, back);
    this.#logDet = logAbsDet;
  }

  forward(r: Recorder, x: TiledTensor, { logDet }: BijectorCall): TiledTensor {
    return this.#record(r, x, this.#forward, this.#logDet, logDet);
  }

  inverse(r: Recorder, z: TiledTensor, { logDet }: BijectorCall): TiledTensor {
    return this.#record(r, z, this.#inverse, -this.#logDet, logDet);
  }

  #record(r: Recorder, x: TiledTensor, packed: PackedLinear, logAbsDet: number, logDet: TiledTensor | null): TiledTensor {
    const y = r.tiled(this.dim, 'product');
    recordLinear(r, packed, x, y, { label: 'matrix' });
    if (logDet) r.run(fill, { buffers: { destination: logDet }, params: { features: 1, value: logAbsDet }, constants: { ADD: true } });
    return y;
  }
}
