// Linear ops: dense matrices, and matrices by their factors.

import { FormatError } from '../../runtime/errors.js';
import { DenseLinear } from '../bijectors/dense-linear.js';
import { Householder, luLinear, qrLinear } from '../bijectors/linear.js';
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
    if (!(square > 2 ** -100 && square < 2 ** 100))
      throw new FormatError(name, `needs vectors of a length that float32 can square, other than 0; got |v|² = ${square} at ${k}`);
  }
  if (vectors.length === 0) throw new FormatError(name, 'needs at least one vector; got none');
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
    return luLinear(lower, upper, state.parameter(`${op.prefix}.bias`, [dim]));
  },

  qr_linear(op, { state, inputs: dim }) {
    const entries = state.parameter(`${op.prefix}.upper_entries`, [(dim * (dim - 1)) / 2]);
    const diagonal = state.parameter(`${op.prefix}.log_upper_diag`, [dim]);
    const upper = triangle(dim, 'upper', (i) => Math.exp(diagonal[i]!), entries);
    checkDiagonal(upper, dim, `${op.prefix}.log_upper_diag`);
    return qrLinear(upper, reflections(state, `${op.prefix}.orthogonal.q_vectors`, dim), state.parameter(`${op.prefix}.bias`, [dim]));
  },

  householder: (op, { state, inputs: dim }) => new Householder(reflections(state, op.vectors, dim), new Float32Array(dim)),

  matmul_right(op, { state, inputs: dim }) {
    return new DenseLinear(transpose(state.parameter(op.key, [dim, dim]), dim, dim), dim);
  },
} satisfies OpBuilders;
