// Numbers in files: CSV and NumPy's .npy. What is not a number is refused with its place.

export interface Table {
  readonly columns: readonly string[];
  readonly rows: number;
  /** Row-major [rows, columns]. */
  readonly values: Float64Array;
}

/** A file that cannot be learned from. The message is for the page's reader. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** What programs write for a missing or infinite number: no name of a column. */
const NO_NAME = /^([+-]?inf(inity)?|[+-]?nan|n\/?a|null|none|-|\?)?$/i;
/** Beyond it a number is infinite in float32. */
const LARGEST = 3.4e38;
/** Milliseconds of parsing after which the page gets its turn. */
const SLICE = 12;

/** Cells of a line. Quotes go; a separator between them stays. */
function cellsOf(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator).map((cell) => cell.trim());
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (const character of line) {
    if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) {
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
 * @throws DataError
 */
export async function parseCsv(text: string): Promise<Table> {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const first = lines.findIndex((line) => line.trim() !== '');
  if (first < 0) throw new DataError('The file is empty.');
  const separator = separatorOf(lines[first]!);
  const head = cellsOf(lines[first]!, separator);
  const named =
    head.some((cell) => cell !== '') && head.every((cell, i) => !NUMBER.test(cell) && (!NO_NAME.test(cell) || (i === 0 && cell === '')));
  const columns = head.map((cell, i) => (named && cell !== '' ? cell : `column ${i + 1}`));
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
    if (cells.length !== width)
      throw new DataError(`Row ${at + 1} has ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}; row ${first + 1} has ${width}.`);
    if ((rows + 1) * width > values.length) {
      const larger = new Float64Array(2 * values.length);
      larger.set(values);
      values = larger;
    }
    for (const [i, cell] of cells.entries()) {
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

type Reader = (view: DataView, at: number, little: boolean) => number;

const readers: Record<string, Reader> = {
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
};

/** \x93NUMPY. As bytes, since browsers decode latin1 as windows-1252, where 93 is a quotation mark. */
const NPY = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * An array [rows, columns] or [rows] of real numbers, as numpy.save writes it (NEP 1, versions 1 to 3).
 *
 * @throws DataError
 */
export function parseNpy(file: ArrayBuffer): Table {
  const view = new DataView(file);
  const magic = file.byteLength >= 12 && NPY.every((byte, at) => view.getUint8(at) === byte);
  if (!magic) throw new DataError('This is no .npy file: it does not begin as numpy.save writes it.');
  const wide = view.getUint8(6) > 1;
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (start + length > file.byteLength) throw new DataError('The .npy file ends inside its header.');
  const header = new TextDecoder().decode(new Uint8Array(file, start, length));
  const descr = /'descr':\s*'([<>|=])([a-z]\d+)'/.exec(header);
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1]?.match(/\d+/g)?.map(Number) ?? [];
  const read = descr ? readers[descr[2]!] : undefined;
  if (!descr || !read)
    throw new DataError('The .npy file holds something else than float32, float64 or integers: convert it with astype("float32").');
  if (shape.length !== 1 && shape.length !== 2)
    throw new DataError(`The .npy file holds an array of ${shape.length} axes; it needs two, rows and columns.`);
  const [rows, width = 1] = shape as [number, number?];
  const size = Number(descr[2]!.slice(1));
  if (start + length + rows * width * size > file.byteLength) throw new DataError('The .npy file ends before its last number.');
  const byColumn = /'fortran_order':\s*True/.test(header);
  const values = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < width; column++) {
      const place = byColumn ? column * rows + row : row * width + column;
      const value = read(view, start + length + place * size, descr[1] !== '>');
      if (!(Math.abs(value) < LARGEST))
        throw new DataError(`Row ${row + 1}, column ${column + 1} holds ${value}, which is not a finite number. Every cell has to be one.`);
      values[row * width + column] = value;
    }
  return { columns: Array.from({ length: width }, (_, i) => `column ${i + 1}`), rows, values };
}

/** @throws DataError for what is neither, or holds something else than numbers. */
export async function readTable(file: File): Promise<Table> {
  if (/\.npy$/i.test(file.name)) return parseNpy(await file.arrayBuffer());
  if (/\.(csv|tsv|txt)$/i.test(file.name) || file.type.startsWith('text/')) return parseCsv(await file.text());
  throw new DataError(`${file.name} is neither a CSV nor a .npy file.`);
}
