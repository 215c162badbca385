// Linear ops: dense matrices, and matrices by their factors.

import { needs } from '../../format/needs.js';
import { FormatError } from '../../runtime/errors.js';
import { Chain } from '../bijectors/chain.js';
import { DenseLinear } from '../bijectors/dense-linear.js';
import { Householder } from '../bijectors/householder.js';
import { Triangle } from '../bijectors/triangle.js';
import { transpose } from '../linear-algebra.js';
import { softplus } from '../scalar.js';
import type { OpBuilders } from './op.js';
import type { StateReader } from './state.js';

/** float64 [D, D] from a diagonal and the strict triangle's entries, row by row. */
function triangle(dim: number, side: 'lower' | 'upper', diagonal: (i: number) => number, entries: Float32Array): Float64Array {
  const matrix = new Float64Array(dim * dim);
  let next = 0;
  for (let i = 0; i < dim; i++) {
    matrix[i * dim + i] = diagonal(i);
    for (let j = side === 'lower' ? 0 : i + 1; j < (side === 'lower' ? i : dim); j++) matrix[i * dim + j] = entries[next++]!;
  }
  return matrix;
}

/** float32 holds a scale of the diagonal, and its reciprocal. @throws FormatError where it does not. */
function checkDiagonal(matrix: Float64Array, dim: number, name: string): void {
  for (let i = 0; i < dim; i++) {
    const value = Math.fround(matrix[i * dim + i]!);
    if (!(value > 2 ** -126 && value < 2 ** 126))
      throw new FormatError(name, `gives a diagonal that float32 cannot divide by: ${matrix[i * dim + i]} at ${i}`);
  }
}

function reflections(state: StateReader, name: string, dim: number): Float32Array {
  const vectors = state.parameter(name, [null, dim]);
  for (let k = 0; k < vectors.length / dim; k++) {
    const square = vectors.subarray(k * dim, (k + 1) * dim).reduce((sum, value) => sum + value * value, 0);
    const sound = square > 2 ** -100 && square < 2 ** 100;
    needs(sound, name, 'vectors of a length that float32 can square, other than 0', `|v|² = ${square} at ${k}`);
  }
  needs(vectors.length > 0, name, 'at least one vector', 'none');
  return vectors;
}

export const linearOps = {
  lu_linear(op, { state, inputs: dim }) {
    const count = (dim * (dim - 1)) / 2;
    const lower = triangle(dim, 'lower', () => 1, state.parameter(`${op.prefix}.lower_entries`, [count]));
    const entries = state.parameter(`${op.prefix}.upper_entries`, [count]);
    const diagonal = state.parameter(`${op.prefix}.unconstrained_upper_diag`, [dim]);
    const upper = triangle(dim, 'upper', (i) => softplus(diagonal[i]!) + op.eps, entries);
    checkDiagonal(upper, dim, `${op.prefix}.unconstrained_upper_diag`);
    const bias = state.parameter(`${op.prefix}.bias`, [dim]);
    // Both directions keep the factors, so the inverse is as exact as the matrix is; see docs/flows/linear.md.
    const scale = { raw: diagonal, map: 'softplus', setting: op.eps } as const;
    return new Chain(dim, [new Triangle(upper, 'upper', new Float64Array(dim), scale), new Triangle(lower, 'lower', bias)], 'lu-linear');
  },

  qr_linear(op, { state, inputs: dim }) {
    const entries = state.parameter(`${op.prefix}.upper_entries`, [(dim * (dim - 1)) / 2]);
    const diagonal = state.parameter(`${op.prefix}.log_upper_diag`, [dim]);
    const upper = triangle(dim, 'upper', (i) => Math.exp(diagonal[i]!), entries);
    checkDiagonal(upper, dim, `${op.prefix}.log_upper_diag`);
    const vectors = reflections(state, `${op.prefix}.orthogonal.q_vectors`, dim);
    const orthogonal = new Householder(vectors, state.parameter(`${op.prefix}.bias`, [dim]));
    return new Chain(dim, [new Triangle(upper, 'upper', new Float64Array(dim), { raw: diagonal }), orthogonal], 'qr-linear');
  },

  householder: (op, { state, inputs: dim }) => new Householder(reflections(state, op.vectors, dim), new Float32Array(dim)),

  matmul_right(op, { state, inputs: dim }) {
    return new DenseLinear(transpose(state.parameter(op.key, [dim, dim]), dim, dim), dim, !state.holdsPlaces);
  },
} satisfies OpBuilders;
