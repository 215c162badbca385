import { ZERO } from '../../kernels/permute.js';
import { sylvester } from '../../kernels/sylvester.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { Origin, TiledTensor } from '../../runtime/tensor.js';
import type { Bijector } from '../bijector.js';
import { identityOrder, type PackedLinear, packLinear, recordLinear } from '../conditioner/packing.js';
import { householderColumns, transpose } from '../linear-algebra.js';
import { gather } from './permutation.js';
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

/** Q [D, M] = (H_1 … H_K)[:, :M] as two products, and where their weights come from. */
interface Basis {
  readonly out: PackedLinear;
  readonly in: PackedLinear;
  /** All of H_1 … H_K and of H_K … H_1, [D, D], where gradients are asked for. */
  readonly square: () => { readonly out: LearnedLinear; readonly in: LearnedLinear };
}

type LearnedLinear = PackedLinear & { readonly origin: Origin };

function packBasis(vectors: Float32Array, dim: number, units: number): Basis {
  const basis = householderColumns(vectors, dim, units);
  const learned = (product: Float32Array): LearnedLinear => {
    const weight = Float32Array.from(transpose(householderColumns(product, dim, dim), dim, dim));
    const origin = { kind: 'reflections', inputs: { vectors: Float32Array.from(product) }, settings: { features: dim } };
    return { ...packLinear({ weight, inputs: dim }), origin };
  };
  // The last reflection first.
  const reversed = new Float32Array(vectors.length);
  for (let at = 0; at < vectors.length; at += dim) reversed.set(vectors.subarray(at, at + dim), vectors.length - dim - at);
  let square: ReturnType<Basis['square']> | null = null;
  return {
    out: packLinear({ weight: Float32Array.from(basis), inputs: units }),
    in: packLinear({ weight: Float32Array.from(transpose(basis, dim, units)), inputs: dim }),
    square: () => {
      square ??= { out: learned(reversed), in: learned(vectors) };
      return square;
    },
  };
}

const recordLearned = (r: Recorder, packed: LearnedLinear, x: TiledTensor, y: TiledTensor, label: string, addend?: TiledTensor): void =>
  recordLinear(r, packed, x, y, {
    label,
    weight: r.constant(packed.weight, label, { of: packed.origin, table: 'weight' }),
    ...(addend && { addend }),
  });

/**
 * x = z + Q R tanh(R̃ Qᵀ z + b), Q [D, M] with orthonormal columns, R and R̃ upper triangular. Inverse (z → x) is a formula; forward
 * (x → z) solves M scalar equations a row, one after the other. Van den Berg et al. 2018, arXiv:1803.05649; shaders/sylvester.wgsl.
 *
 * @param source a table of `packSylvester`, or a network whose outputs are in the order of shaders/sylvester.wgsl.
 * @param vectors [K, D] of the reflections H_1 … H_K whose product begins with Q; null for the identity, M = D.
 */
export function sylvesterLayer(dim: number, units: number, source: ParameterSource, vectors: Float32Array | null): Bijector {
  const q = vectors && packBasis(vectors, dim, units);
  return new RowLayer('sylvester', dim, source, (r, x, { buffers, params, constants, result }) => {
    const square = r.differentiable && vectors?.length ? q!.square() : null;
    let projection = x;
    if (q) {
      projection = r.tiled(units, 'projection');
      if (square) {
        const all = r.tiled(dim, 'reflected');
        recordLearned(r, square.in, x, all, 'Q transposed');
        projection = gather(r, all, identityOrder(units));
      } else recordLinear(r, q.in, x, projection, { label: 'Q transposed' });
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
    if (square) {
      const padded = Uint32Array.from({ length: dim }, (_, f) => (f < units ? f : ZERO));
      recordLearned(r, square.out, gather(r, change, padded), y, 'Q', x);
    } else recordLinear(r, q.out, change, y, { label: 'Q', addend: x });
    return y;
  });
}
