import { sylvester } from '../../kernels/sylvester.js';
import type { Bijector } from '../bijector.js';
import { packLinear, recordLinear } from '../conditioner/packing.js';
import { householderColumns, transpose } from '../linear-algebra.js';
import { type ParameterSource, RowLayer, splat } from './row-parameters.js';

/**
 * Triangles that all rows share, as a network would give them: in the order of shaders/sylvester.wgsl, before the tanh of the diagonals.
 *
 * @param r, rTilde row-major [M, M]; what lies below their diagonals is left out.
 */
export function listSylvester(r: ArrayLike<number>, rTilde: ArrayLike<number>, b: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const units = b.length;
  const values = new Float32Array(units * units + 2 * units);
  for (let i = 0; i < units; i++) {
    values[units * units + i] = rTilde[i * units + i]!;
    values[units * units + units + i] = b[i]!;
    for (let j = i; j < units; j++) {
      if (j > i) values[j * units + i] = rTilde[i * units + j]!;
      values[i * units + j] = r[i * units + j]!;
    }
  }
  return values;
}

/** What the kernel reads for all rows. @param raw of `listSylvester`. */
export function packSylvester(raw: Float32Array, units: number): Float32Array<ArrayBuffer> {
  const values = Float64Array.from(raw);
  for (let i = 0; i < units; i++) for (const at of [i * (units + 1), units * units + i]) values[at] = Math.tanh(raw[at]!);
  return splat(values);
}

/** What the weights of a product with Q [D, M] or its transpose are made of: Q = (H_1 … H_K)[:, :M]. */
export interface BasisParts {
  readonly kind: 'basis';
  /** [K, D]. */
  readonly vectors: Float32Array;
  readonly dim: number;
  readonly transposed: boolean;
}

/**
 * x = z + Q R tanh(R̃ Qᵀ z + b), Q [D, M] with orthonormal columns, R and R̃ upper triangular. Inverse (z → x) is a formula; forward
 * (x → z) solves M scalar equations a row, one after the other. Van den Berg et al. 2018, arXiv:1803.05649; shaders/sylvester.wgsl.
 *
 * @param source a table of `packSylvester`, or a network whose outputs are in the order of shaders/sylvester.wgsl.
 * @param vectors [K, D] of the reflections H_1 … H_K whose product begins with Q; null for the identity, M = D.
 */
export function sylvesterLayer(dim: number, units: number, source: ParameterSource, vectors: Float32Array | null): Bijector {
  const basis = vectors && householderColumns(vectors, dim, units);
  const parts = (transposed: boolean): BasisParts | null => (vectors?.length ? { kind: 'basis', vectors, dim, transposed } : null);
  const q = basis && {
    out: { ...packLinear({ weight: Float32Array.from(basis), inputs: units }), parts: parts(false) },
    in: { ...packLinear({ weight: Float32Array.from(transpose(basis, dim, units)), inputs: dim }), parts: parts(true) },
  };
  return new RowLayer('sylvester', dim, source, (r, x, { buffers, params, constants, result }) => {
    let projection = x;
    if (q) {
      projection = r.tiled(units, 'projection');
      recordLinear(r, q.in, x, projection, { label: 'Q transposed' });
    }
    const moved = r.tiled(units, 'moved');
    const change = r.tiled(q ? units : 1, 'change');
    r.run(sylvester, {
      buffers: { source: projection, moved, change, hidden: r.tiled(units, 'hidden'), ...buffers },
      params: { units, ...params },
      constants: { ...constants, HAS_CHANGE: q !== null },
    });
    if (!q) return moved;
    const y = r.tiled(dim, result);
    recordLinear(r, q.out, change, y, { label: 'Q', addend: x });
    return y;
  });
}
