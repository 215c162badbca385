// Rows of numbers with named columns, as files hold them.

export interface Table {
  readonly columns: readonly string[];
  readonly rows: number;
  /** Row-major [rows, columns]. */
  readonly values: Float64Array | Float32Array;
}

/** Which columns are wanted, out of the names that a file has; the others are not read, and may hold anything. */
export type Choose = (columns: readonly string[]) => ReadonlySet<string>;

/** A file that cannot be learned from. The message is for the reader of a page or a terminal. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

/** Beyond it a number is infinite in float32. */
export const LARGEST = 3.4e38;

/** Of a file that names no columns. */
export const unnamed = (count: number): string[] => Array.from({ length: count }, (_, i) => `column ${i + 1}`);

/** Whether the file named its columns. */
export const isNamed = (columns: readonly string[]): boolean => columns.some((column, i) => column !== `column ${i + 1}`);

/** A float32 in as few digits as tell it from its neighbours. */
export function shortest(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  for (let digits = 6; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(Number(value.toPrecision(9)));
}

/** Rows that are put into words at a time: a string holds half a gigabyte at most. */
const ROWS_AT_ONCE = 16_384;

/** The text of a table in pieces. */
export function* inPieces(rows: number, row: (index: number) => string, between: string): Generator<string> {
  for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, rows - from);
    yield (from > 0 ? between : '') + Array.from({ length: count }, (_, i) => row(from + i)).join(between);
  }
}
