// What the command line is made of, without a GPU: the files it writes, what goes between it and a page, and its line of progress.

import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { describe as describeProgress, line, startBar } from '../../src/cli/bar.js';
import { parseCsv, writeCsv } from '../../src/cli/csv.js';
import { parseJsonTable, writeJsonTable } from '../../src/cli/json.js';
import { parseNpy, writeNpy } from '../../src/cli/npy.js';
import { pack, unpack } from '../../src/cli/wire.js';

const columns = ['a', 'b, "c"'];
const values = Float32Array.of(1 / 3, -2.5e-30, 3.3e38, 123456.789, 0, -7);
const table = { columns, rows: 3, values };
const text = (pieces: Iterable<string>) => [...pieces].join('');

describe('tables come back as they were written, to the bit of a float32', () => {
  test.each([',', '\t'])('CSV with %j', async (separator) => {
    const back = await parseCsv(text(writeCsv(table, separator)));
    expect(back.columns).toEqual(columns);
    expect(Float32Array.from(back.values)).toEqual(values);
  });

  test('JSON', () => {
    const written = text(writeJsonTable(table));
    expect(JSON.parse(written)).toHaveLength(3);
    const back = parseJsonTable(written);
    expect(back.columns).toEqual(columns);
    expect(Float32Array.from(back.values)).toEqual(values);
  });

  test('.npy, with numbers that begin at a multiple of 64', () => {
    const file = Buffer.concat([...writeNpy(table)]);
    expect((file.length - values.byteLength) % 64).toBe(0);
    expect(file.subarray(0, 8)).toEqual(Buffer.from('\x93NUMPY\x01\x00', 'latin1'));
    const back = parseNpy(new Uint8Array(file).buffer);
    expect([back.rows, back.columns.length]).toEqual([3, 2]);
    expect(Float32Array.from(back.values)).toEqual(values);
  });

  test('no rows', async () => {
    const empty = { columns, rows: 0, values: new Float32Array() };
    expect((await parseCsv(text(writeCsv(empty)))).columns).toEqual(columns);
    expect(JSON.parse(text(writeJsonTable(empty)))).toEqual([]);
    expect(parseNpy(new Uint8Array(Buffer.concat([...writeNpy(empty)])).buffer).rows).toBe(0);
  });

  test('only the columns that are wanted are read', async () => {
    const choose = (names: readonly string[]) => new Set(names.filter((name) => name !== 'when'));
    expect([...(await parseCsv('when,x\nMonday,1\nTuesday,2\n', choose)).values]).toEqual([1, 2]);
    expect([...parseJsonTable('[{"when": "Monday", "x": 1}]', choose).values]).toEqual([1]);
  });
});

test.each([
  ['[1, 2', 'not valid JSON'],
  ['{"a": 1}', 'holds no array'],
  ['[1, 2]', 'an array of something else'],
  ['[[1, 2], [3]]', 'Row 2 has 1 number; row 1 has 2.'],
  ['[{"a": 1}, [2]]', 'Row 2 is no object, as row 1 is.'],
  ['[{"a": 1}, {"b": 2}]', 'Row 2, column “a” is missing.'],
  ['[{"a": null}]', 'Row 1, column “a” holds null, which is not a finite number.'],
])('JSON that holds %s is refused', (json, message) => {
  expect(() => parseJsonTable(json)).toThrow(message);
});

describe('wire', () => {
  const message = { kind: 'x', bytes: Uint8Array.of(1, 2, 3), context: null, rows: { x: Float32Array.of(0.5, -1, 3) }, levels: 4 };

  test('arrays come back with their kind, from any offset and from Node', () => {
    const packed = pack(message);
    expect(unpack(packed)).toEqual(message);
    // A view into a larger buffer, as Node hands over small bodies of requests.
    const pool = Buffer.alloc(packed.length + 3);
    pool.set(packed, 3);
    expect(unpack(pool.subarray(3))).toEqual(message);
    expect(unpack(pack({ bytes: Buffer.from([1, 2, 3]) }))).toEqual({ bytes: Uint8Array.of(1, 2, 3) });
  });
});

describe('progress', () => {
  const progress = {
    step: 5,
    steps: 20,
    loss: 1.25,
    validationLoss: 1.5,
    learningRate: 1e-3,
    gradientNorm: 1,
    stepsPerSecond: 4,
    secondsLeft: 70,
  };
  const draw = (isTTY: boolean) => {
    const written: string[] = [];
    const bar = startBar({ isTTY, columns: 60, write: (piece: string) => written.push(piece) } as unknown as NodeJS.WriteStream);
    bar.update(progress);
    bar.update({ ...progress, step: 20 });
    bar.stop();
    return written.join('');
  };

  test('in words', () => {
    expect(describeProgress(progress)).toBe('5/20 steps, loss 1.2500, validation 1.5000, 4.0 steps/s, 1 min 10 s left');
  });

  test('a bar that never wraps', () => {
    expect(line(0.5, 'half', 80)).toBe(`${'█'.repeat(12)}${'░'.repeat(12)} half`);
    expect(line(0.5, 'half', 20)).toHaveLength(19);
  });

  test('a terminal has one line drawn over, and its cursor again', () => {
    const drawn = draw(true);
    expect(drawn.split('\n')).toHaveLength(2);
    expect(drawn.startsWith('\u001b[?25l')).toBe(true);
    expect(drawn.endsWith('\n\u001b[?25h')).toBe(true);
    for (const shown of drawn.split('\r').slice(1)) expect(stripVTControlCharacters(shown).trimEnd().length).toBeLessThan(60);
  });

  test('a file has plain lines', () => {
    expect(draw(false)).toBe('20/20 steps, loss 1.2500, validation 1.5000, 4.0 steps/s, 1 min 10 s left\n');
  });
});
