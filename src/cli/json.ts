// JSON: an array of rows, or an array of objects that name the columns.

import { type Choose, DataError, inPieces, LARGEST, shortest, type Table, unnamed } from './table.js';

const EXPECTED = 'It has to hold an array of rows, [[1, 2], …], or of objects, [{"a": 1, "b": 2}, …].';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** @param choose of a file of objects. @throws DataError, which counts rows from 1. */
export function parseJsonTable(text: string, choose?: Choose): Table {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw new DataError(`The file is not valid JSON. ${EXPECTED}`);
  }
  if (!Array.isArray(parsed)) throw new DataError(`The file holds no array. ${EXPECTED}`);
  if (parsed.length === 0) throw new DataError('The file is empty.');
  const first: unknown = parsed[0];
  if (!isObject(first)) throw new DataError(`The file holds an array of something else. ${EXPECTED}`);
  const listed = Array.isArray(first);
  const names = listed ? unnamed(first.length) : Object.keys(first);
  const wanted = !listed && choose ? choose(names) : null;
  const columns = names.filter((name) => wanted?.has(name) ?? true);
  const width = columns.length;
  const values = new Float64Array(parsed.length * width);
  for (const [row, record] of parsed.entries()) {
    if (!isObject(record) || Array.isArray(record) !== listed)
      throw new DataError(`Row ${row + 1} is no ${listed ? 'array' : 'object'}, as row 1 is.`);
    if (Array.isArray(record) && record.length !== width)
      throw new DataError(`Row ${row + 1} has ${record.length} ${record.length === 1 ? 'number' : 'numbers'}; row 1 has ${width}.`);
    for (const [i, column] of columns.entries()) {
      const value = Array.isArray(record) ? record[i] : Object.hasOwn(record, column) ? record[column] : undefined;
      if (typeof value !== 'number' || !(Math.abs(value) < LARGEST)) {
        const what = value === undefined ? 'is missing' : `holds ${JSON.stringify(value)}, which is not a finite number`;
        throw new DataError(`Row ${row + 1}, column “${column}” ${what}. Every cell has to be a number.`);
      }
      values[row * width + i] = value;
    }
  }
  return { columns, rows: parsed.length, values };
}

/** An array of objects, a line each. What is not finite is null. */
export function* writeJsonTable({ columns, rows, values }: Table): Generator<string> {
  const width = columns.length;
  const keys = columns.map((column) => JSON.stringify(column));
  const number = (value: number) => (Number.isFinite(value) ? shortest(value) : 'null');
  yield '[\n';
  yield* inPieces(rows, (row) => `{${keys.map((key, i) => `${key}:${number(values[row * width + i]!)}`).join(',')}}`, ',\n');
  yield '\n]\n';
}
