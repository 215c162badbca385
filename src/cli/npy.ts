// NumPy's .npy (NEP 1).

import { DataError, LARGEST, type Table, unnamed } from './table.js';

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
  return { columns: unnamed(width), rows, values };
}

/** float32 [rows, columns], least significant byte first, as numpy.save writes it. */
export function* writeNpy({ columns, rows, values }: Table): Generator<Uint8Array> {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns.length}), }`;
  const start = 10;
  // Padded by spaces and a line feed, so that the numbers begin at a multiple of 64.
  const header = `${dictionary.padEnd(64 * Math.ceil((start + dictionary.length + 1) / 64) - start - 1)}\n`;
  const head = new Uint8Array(start + header.length);
  head.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length & 255, header.length >> 8]);
  head.set(new TextEncoder().encode(header), start);
  yield head;
  const numbers = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, value] of values.entries()) numbers.setFloat32(4 * i, value, true);
  yield new Uint8Array(numbers.buffer);
}
