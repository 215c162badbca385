// Small dense matrices in float64 on the host: what is found once when a flow is built, and by checks.

/** Of a row-major [rows, columns] matrix. */
export const transpose = (matrix: ArrayLike<number>, rows: number, columns: number): Float64Array =>
  Float64Array.from({ length: rows * columns }, (_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)]!);

/** P M = L U with partial pivoting, float64, in place of a copy: L below the diagonal (its own is 1), U on and above it. */
export function factorize(matrix: Float64Array, n: number): { factors: Float64Array; order: number[]; logAbsDet: number } {
  const factors = matrix.slice();
  const order = Array.from({ length: n }, (_, i) => i);
  let logAbsDet = 0;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++)
      if (Math.abs(factors[row * n + column]!) > Math.abs(factors[pivot * n + column]!)) pivot = row;
    [order[column], order[pivot]] = [order[pivot]!, order[column]!];
    if (pivot !== column)
      for (let k = 0; k < n; k++) [factors[column * n + k], factors[pivot * n + k]] = [factors[pivot * n + k]!, factors[column * n + k]!];
    const value = factors[column * n + column]!;
    logAbsDet += Math.log(Math.abs(value));
    if (value === 0) break; // singular: the log-det says it
    for (let row = column + 1; row < n; row++) {
      const factor = factors[row * n + column]! / value;
      factors[row * n + column] = factor;
      if (factor !== 0) for (let k = column + 1; k < n; k++) factors[row * n + k]! -= factor * factors[column * n + k]!;
    }
  }
  return { factors, order, logAbsDet };
}

/** Its inverse, and log|det|: −Infinity, and an inverse of no meaning, for a singular matrix. */
export function invertMatrix(matrix: Float64Array, n: number): { inverse: Float64Array; logAbsDet: number } {
  const { factors, order, logAbsDet } = factorize(matrix, n);
  const inverse = new Float64Array(n * n);
  for (let column = 0; column < n; column++) {
    // L U x = P e, by substitution downwards, then upwards.
    const x = new Float64Array(n);
    for (let row = 0; row < n; row++) {
      let sum = order[row] === column ? 1 : 0;
      for (let k = 0; k < row; k++) sum -= factors[row * n + k]! * x[k]!;
      x[row] = sum;
    }
    for (let row = n - 1; row >= 0; row--) {
      let sum = x[row]!;
      for (let k = row + 1; k < n; k++) sum -= factors[row * n + k]! * x[k]!;
      x[row] = sum / factors[row * n + row]!;
      inverse[row * n + column] = x[row]!;
    }
  }
  return { inverse, logAbsDet };
}

/**
 * First M columns, row-major [D, M], of the product of the reflections I − 2 v vᵀ / |v|², float64.
 *
 * @param vectors row-major [count, D].
 */
export function householderColumns(vectors: ArrayLike<number>, dim: number, columns: number): Float64Array {
  const q = new Float64Array(dim * columns);
  for (let i = 0; i < columns; i++) q[i * columns + i] = 1;
  for (let at = vectors.length - dim; at >= 0; at -= dim) {
    let square = 0;
    for (let i = 0; i < dim; i++) square += vectors[at + i]! ** 2;
    for (let j = 0; j < columns; j++) {
      let dot = 0;
      for (let i = 0; i < dim; i++) dot += vectors[at + i]! * q[i * columns + j]!;
      for (let i = 0; i < dim; i++) q[i * columns + j]! -= ((2 * dot) / square) * vectors[at + i]!;
    }
  }
  return q;
}
