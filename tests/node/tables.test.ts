// Files of numbers for the page of training: what is read, and what is refused with its place.

import { describe, expect, test } from 'vitest';
import { Curve } from '../../demo/src/train/curve.js';
import { rangesOf, tableData } from '../../demo/src/train/data.js';
import { readTable } from '../../demo/src/train/table.js';
import { parseCsv } from '../../src/cli/csv.js';
import { parseNpy } from '../../src/cli/npy.js';

describe('CSV', () => {
  test.each([
    ['commas and names', 'a,b\n1,2\n3,-4.5e1\n', ['a', 'b']],
    ['semicolons, quotes, a byte order mark, Windows lines', '\uFEFF"a";"b, c"\r\n"1";2\r\n3;-45\r\n\r\n', ['a', 'b, c']],
    ['tabs without names', '1\t 2\n3\t-45.', ['column 1', 'column 2']],
    ['an index without a name', ',b\n1,2\n3,-45\n', ['column 1', 'b']],
  ])('%s', async (_, text, columns) => {
    const table = await parseCsv(text);
    expect(table.columns).toEqual(columns);
    expect(table.rows).toBe(2);
    expect([...table.values]).toEqual([1, 2, 3, -45]);
  });

  test('many rows', async () => {
    const table = await parseCsv(Array.from({ length: 20_000 }, (_, i) => `${i},${-i},0.5`).join('\n'));
    expect(table.rows).toBe(20_000);
    expect([...table.values.subarray(-3)]).toEqual([19_999, -19_999, 0.5]);
  });

  test.each([
    ['a,b\n1,2\n3,n/a\n', 'Row 3, column “b” holds “n/a”, which is not a finite number.'],
    ['1,2\n\n3,NaN\n', 'Row 3, column “column 2” holds “NaN”'],
    ['nan,2\n3,4\n', 'Row 1, column “column 1” holds “nan”'],
    ['NaN\n1\n', 'Row 1, column “column 1” holds “NaN”'],
    ['a,b\n1,inf\n', 'Row 2, column “b” holds “inf”'],
    ['a,b\n1,1e39\n', 'Row 2, column “b” holds “1e39”'],
    ['a,b\n1,\n', 'Row 2, column “b” is empty.'],
    ['a,b\n0x10,1\n', 'Row 2, column “a” holds “0x10”'],
    ['a;b\n1,5;2\n', 'Row 2, column “a” holds “1,5”'],
    ['a,b\n1,2\n1,2,3\n', 'Row 3 has 3 cells; row 1 has 2.'],
    ['\n \n', 'The file is empty.'],
  ])('%j is refused', async (text, sentence) => {
    await expect(parseCsv(text)).rejects.toThrow(sentence);
  });
});

/** A .npy file as numpy.save writes it. */
function npy(descr: string, shape: string, numbers: ArrayBufferView, { fortran = false, version = 1 } = {}): ArrayBuffer {
  const dictionary = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${shape}, }`;
  const start = version === 1 ? 10 : 12;
  const header = `${dictionary.padEnd(Math.ceil((start + dictionary.length + 1) / 64) * 64 - start - 1)}\n`;
  const file = new Uint8Array(start + header.length + numbers.byteLength);
  file.set([0x93, ...new TextEncoder().encode('NUMPY'), version, 0]);
  const view = new DataView(file.buffer);
  if (version === 1) view.setUint16(8, header.length, true);
  else view.setUint32(8, header.length, true);
  file.set(new TextEncoder().encode(header), start);
  file.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), start + header.length);
  return file.buffer;
}

describe('.npy', () => {
  const numbers = [1, 2, 3, -45, 5, 6];
  const bigEndian = new DataView(new ArrayBuffer(48));
  for (const [i, value] of numbers.entries()) bigEndian.setFloat64(8 * i, value);
  test.each([
    ['float32', npy('<f4', '(3, 2)', Float32Array.from(numbers))],
    ['float64', npy('<f8', '(3, 2)', Float64Array.from(numbers))],
    ['float64, most significant byte first', npy('>f8', '(3, 2)', bigEndian)],
    ['int64', npy('<i8', '(3, 2)', BigInt64Array.from(numbers.map(BigInt)))],
    ['int8', npy('|i1', '(3, 2)', Int8Array.from(numbers))],
    ['by column, version 2', npy('<f4', '(3, 2)', Float32Array.of(1, 3, 5, 2, -45, 6), { fortran: true, version: 2 })],
  ])('%s', (_, file) => {
    const table = parseNpy(file);
    expect(table.columns).toEqual(['column 1', 'column 2']);
    expect(table.rows).toBe(3);
    expect([...table.values]).toEqual(numbers);
  });

  test('one axis is one column', () => {
    expect(parseNpy(npy('<f4', '(6,)', Float32Array.from(numbers)))).toMatchObject({ columns: ['column 1'], rows: 6 });
  });

  test.each([
    [npy('<f4', '(3, 2)', Float32Array.of(1, 2, 3, Number.NaN, 5, 6)), 'Row 2, column 2 holds NaN'],
    [npy('<f2', '(3, 2)', new Uint16Array(6)), 'something else than float32, float64 or integers'],
    [npy('<f4', '(3, 2, 1)', new Float32Array(6)), 'an array of 3 axes'],
    [npy('<f4', '(3, 2)', new Float32Array(5)), 'ends before its last number'],
    [npy('<f4', '(3, 2)', new Float32Array(6)).slice(0, 40), 'ends inside its header'],
    [new TextEncoder().encode('not an array').buffer, 'This is no .npy file'],
  ])('what is wrong is said, %#', (file, sentence) => {
    expect(() => parseNpy(file)).toThrow(sentence);
  });
});

test('another kind of file is refused by name', async () => {
  await expect(readTable(new File(['x'], 'cat.png', { type: 'image/png' }))).rejects.toThrow('cat.png is neither a CSV nor a .npy file.');
});

describe('rows to learn from', () => {
  const table = (columns: number[][]) => ({
    columns: columns.map((_, i) => `c${i}`),
    rows: columns[0]!.length,
    values: Float64Array.from(columns[0]!.flatMap((_, row) => columns.map((column) => column[row]!))),
  });

  test('are shuffled, a tenth of them held out, and none lost', () => {
    const column = Array.from({ length: 200 }, (_, i) => i);
    const data = tableData('x.csv', table([column, column.map((value) => 2 * value)]));
    expect(data.inUnits).toBe(true);
    expect(data.train.length).toBe(2 * 180);
    const rows = [...data.train, ...data.validation!].filter((_, i) => i % 2 === 0);
    expect([...rows].sort((a, b) => a - b)).toEqual(column);
    expect(rows).not.toEqual(column);
    // Not the last of a sorted file alone.
    expect(Math.min(...data.validation!)).toBeLessThan(100);
    expect([...data.train].every((value, i) => i % 2 === 0 || value === 2 * data.train[i - 1]!)).toBe(true);
  });

  test('are refused where there are few, or where a column does not vary', () => {
    const column = Array.from({ length: 20 }, (_, i) => i);
    expect(() => tableData('x.csv', table([[1, 2, 3]]))).toThrow('x.csv has 3 rows; a flow needs 10 at least.');
    expect(() => tableData('x.csv', table([column, column.map(() => 7)]))).toThrow('Column “c1” holds one number throughout');
    expect(() => tableData('x.csv', table([column.map((value) => 1e9 + value)]))).toThrow('Column “c0” hardly varies');
  });

  test('are shown but for what lies far out', () => {
    const values = Float64Array.from({ length: 1000 }, (_, i) => i / 1000);
    const [[low, high]] = rangesOf(values, 1) as [[number, number]];
    expect(low).toBeCloseTo(-0.08, 2);
    expect(high).toBeCloseTo(1.08, 2);
    values[500] = 1e6;
    const [[, far]] = rangesOf(values, 1) as [[number, number]];
    expect(far).toBeLessThan(2);
  });
});

describe('the loss curve', () => {
  test('keeps the mean, however many points come', () => {
    const curve = new Curve();
    const losses = Array.from({ length: 5000 }, (_, i) => Math.sin(i) + 1 / (1 + i));
    for (const [i, loss] of losses.entries()) curve.add(i + 1, loss);
    curve.addValidation(2000, 3);
    const [steps, training, validation, floor] = curve.columns(-1);
    expect(steps.length).toBeLessThan(900);
    expect(steps.at(-1)).toBe(5000);
    let sum = 0;
    let before = 0;
    for (const [i, step] of steps.entries()) {
      if (training[i] === null) continue;
      sum += training[i]! * (step - before);
      before = step;
    }
    expect(sum / 5000).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / 5000, 10);
    expect(validation[steps.indexOf(2000)]).toBe(3);
    expect(floor.every((value) => value === -1)).toBe(true);
  });

  test('goes on where the run before ended', () => {
    const curve = new Curve();
    curve.add(10, 4);
    curve.goOn();
    curve.add(5, 3);
    curve.addValidation(5, 2);
    expect(curve.columns(null)[0]).toEqual([0, 10, 15]);
    expect(curve.latest).toEqual({ training: 3, validation: 2 });
  });
});
