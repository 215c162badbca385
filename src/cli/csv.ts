// CSV and TSV. What is not a number is refused with its place.

import { type Choose, DataError, inPieces, LARGEST, shortest, type Table, unnamed } from './table.js';

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** What programs write for a missing or infinite number: no name of a column. */
const NO_NAME = /^([+-]?inf(inity)?|[+-]?nan|n\/?a|null|none|-|\?)?$/i;
/** Milliseconds of parsing after which the page gets its turn. */
const SLICE = 12;

/** Cells of a line. Quotes go, but for doubled ones inside quotes; a separator between them stays. */
function cellsOf(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator).map((cell) => cell.trim());
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (character === '"') {
      if (quoted && line[at + 1] === '"') cell += line[++at];
      else quoted = !quoted;
    } else if (character === separator && !quoted) {
      cells.push(cell.trim());
      cell = '';
    } else cell += character;
  }
  return [...cells, cell.trim()];
}

function separatorOf(line: string): string {
  const count = (separator: string) => cellsOf(line, separator).length;
  return [',', ';', '\t'].reduce((best, other) => (count(other) > count(best) ? other : best));
}

const shortened = (cell: string): string => (cell.length > 24 ? `${cell.slice(0, 23)}…` : cell);

/**
 * Rows of numbers, separated by commas, semicolons or tabs; the first row names the columns where none of it is a number. Rows are counted
 * as lines of the file.
 *
 * @param choose of a file that names its columns.
 * @throws DataError
 */
export async function parseCsv(text: string, choose?: Choose): Promise<Table> {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const first = lines.findIndex((line) => line.trim() !== '');
  if (first < 0) throw new DataError('The file is empty.');
  const separator = separatorOf(lines[first]!);
  const head = cellsOf(lines[first]!, separator);
  const named =
    head.some((cell) => cell !== '') && head.every((cell, i) => !NUMBER.test(cell) && (!NO_NAME.test(cell) || (i === 0 && cell === '')));
  const names = unnamed(head.length).map((column, i) => (named && head[i] !== '' ? head[i]! : column));
  const wanted = named && choose ? choose(names) : null;
  const places = [...names.keys()].filter((i) => wanted?.has(names[i]!) ?? true);
  const columns = places.map((i) => names[i]!);
  const width = columns.length;
  let values = new Float64Array(width * 1024);
  let rows = 0;
  let turn = performance.now();
  for (let at = named ? first + 1 : first; at < lines.length; at++) {
    if (lines[at]!.trim() === '') continue;
    if (rows % 256 === 0 && performance.now() - turn > SLICE) {
      await new Promise((resolve) => setTimeout(resolve));
      turn = performance.now();
    }
    const cells = cellsOf(lines[at]!, separator);
    if (cells.length !== names.length)
      throw new DataError(
        `Row ${at + 1} has ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}; row ${first + 1} has ${names.length}.`,
      );
    if ((rows + 1) * width > values.length) {
      const larger = new Float64Array(2 * values.length);
      larger.set(values);
      values = larger;
    }
    for (const [i, place] of places.entries()) {
      const cell = cells[place]!;
      const value = NUMBER.test(cell) ? Number(cell) : Number.NaN;
      if (!(Math.abs(value) < LARGEST)) {
        const what = cell === '' ? 'is empty' : `holds “${shortened(cell)}”, which is not a finite number`;
        throw new DataError(`Row ${at + 1}, column “${columns[i]}” ${what}. Every cell has to be a number.`);
      }
      values[rows * width + i] = value;
    }
    rows++;
  }
  return { columns, rows, values: values.subarray(0, rows * width) };
}

/** With quotes where the name holds what would end a cell. */
const quoted = (name: string, separator: string): string =>
  name.includes(separator) || /["\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;

/** A line of names, then a line for each row. */
export function* writeCsv({ columns, rows, values }: Table, separator = ','): Generator<string> {
  const width = columns.length;
  yield `${columns.map((column) => quoted(column, separator)).join(separator)}\n`;
  const row = (index: number) => Array.from(values.subarray(index * width, (index + 1) * width), shortest).join(separator);
  yield* inPieces(rows, row, '\n');
  if (rows > 0) yield '\n';
}
