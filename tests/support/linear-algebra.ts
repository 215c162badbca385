/** log|det| of a row-major [n, n] matrix, by elimination with partial pivoting. Written for tests alone: it shares nothing with src. */
export function logAbsDeterminant(matrix: Float64Array, n: number): number {
  const rows = Array.from({ length: n }, (_, i) => Array.from(matrix.subarray(i * n, (i + 1) * n)));
  let result = 0;
  for (let column = 0; column < n; column++) {
    const [pivot] = rows.splice(
      rows.reduce((best, row, i) => (Math.abs(row[column]!) > Math.abs(rows[best]![column]!) ? i : best), 0),
      1,
    );
    result += Math.log(Math.abs(pivot![column]!));
    for (const row of rows) {
      const factor = row[column]! / pivot![column]!;
      for (let k = column; k < n; k++) row[k]! -= factor * pivot![k]!;
    }
  }
  return result;
}
