import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readSafetensors, type StoredTensor, toFloat32, writeSafetensors } from '../../src/format/safetensors.js';
import { FormatError } from '../../src/runtime/errors.js';

const golden = new URL('../golden/', import.meta.url);

/** A file of the given header text (or bytes) and as many zero bytes of data. */
function file(header: string | Uint8Array, dataBytes = 0, length?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (shape: unknown, offsets: unknown, dtype: unknown = 'F32') => ({ dtype, shape, data_offsets: offsets });

/** A file of one tensor "a" with that entry. */
const one = (a: unknown, dataBytes: number) => file(JSON.stringify({ a }), dataBytes);

const whole = 'whole numbers from 0 to 2^53 - 1';
const at = 'safetensors tensor "a"';

const malformed: [name: string, bytes: Uint8Array, sentence: string][] = [
  ['an empty file', new Uint8Array(0), 'safetensors: a file needs at least 8 bytes; got 0'],
  ['a file of seven bytes', new Uint8Array(7), 'safetensors: a file needs at least 8 bytes; got 7'],
  ['a header longer than the file', file('{}', 0, 3n), 'safetensors: the header length says 3 bytes; only 2 follow it'],
  [
    'an absurd header length',
    file('{}', 0, 2n ** 63n),
    'safetensors: the header needs at most 100000000 bytes; its length says 9223372036854775808',
  ],
  ['a header that is not UTF-8', file(new Uint8Array([0x7b, 0xff, 0x7d])), 'safetensors: the header is not valid UTF-8'],
  ['a header that is not JSON', file('{"a":'), 'safetensors: the header is not valid JSON'],
  ['an empty header', file(''), 'safetensors: the header is not valid JSON'],
  ['a header that is a list', file('[]'), 'safetensors: the header is not a JSON object that starts at its first byte'],
  ['a header that is null', file('null'), 'safetensors: the header is not a JSON object that starts at its first byte'],
  ['a header that starts with a space', file(' {}'), 'safetensors: the header is not a JSON object that starts at its first byte'],
  [
    'two tensors of one name',
    file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8),
    'safetensors: the name "a" occurs twice in the header',
  ],
  [
    'two dtypes in one entry',
    file('{"a":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}', 4),
    'safetensors: the name "dtype" occurs twice in the header',
  ],
  ['an entry that is no object', file('{"a":3}'), `${at}: the entry needs an object; got 3`],
  ['an entry without dtype', one({ shape: [], data_offsets: [0, 4] }, 4), `${at}: the entry has no dtype`],
  ['an entry without shape', one({ dtype: 'F32', data_offsets: [0, 4] }, 4), `${at}: the entry has no shape`],
  ['an entry without data_offsets', one({ dtype: 'F32', shape: [] }, 4), `${at}: the entry has no data_offsets`],
  ['a dtype that is no string', one(entry([], [0, 4], 7), 4), `${at}: dtype needs a string; got 7`],
  [
    'an unknown dtype',
    one(entry([], [0, 4], 'F33'), 4),
    `${at}: dtype needs one of F64, I64, U64, F32, I32, U32, F16, BF16, I16, U16, I8, U8, BOOL; got "F33"`,
  ],
  ['a shape that is no list', one(entry(4, [0, 16]), 16), `${at}: shape needs a list; got 4`],
  ['a negative size', one(entry([-1], [0, 4]), 4), `${at}: shape needs ${whole}; got [-1]`],
  ['a fractional size', one(entry([1.5], [0, 6]), 6), `${at}: shape needs ${whole}; got [1.5]`],
  ['a huge size', one(entry([2 ** 60], [0, 4]), 4), `${at}: shape needs ${whole}; got [${2 ** 60}]`],
  ['a size in words', one(entry(['4'], [0, 16]), 16), `${at}: shape needs ${whole}; got ["4"]`],
  [
    'sizes whose product is huge',
    one(entry([2 ** 40, 2 ** 40], [0, 4]), 4),
    `${at}: F32 [${2 ** 40},${2 ** 40}] needs ${2 ** 82} bytes; it has 4`,
  ],
  ['one data offset', one(entry([], [4]), 4), `${at}: data_offsets needs two ${whole}; got [4]`],
  ['a negative data offset', one(entry([], [-4, 0]), 4), `${at}: data_offsets needs two ${whole}; got [-4,0]`],
  ['a begin after the end', one(entry([], [8, 4]), 8), `${at}: data_offsets begin at 8, after their end at 4`],
  ['an end past the data', one(entry([2], [0, 8]), 4), `${at}: data_offsets end at 8; the data section has 4 bytes`],
  ['too many bytes for the shape', one(entry([2], [0, 12]), 12), `${at}: F32 [2] needs 8 bytes; it has 12`],
  ['too few bytes for the dtype', one(entry([2], [0, 8], 'I64'), 8), `${at}: I64 [2] needs 16 bytes; it has 8`],
  [
    'overlapping tensors',
    file(JSON.stringify({ a: entry([2], [0, 8]), b: entry([2], [4, 12]) }), 12),
    'safetensors: tensors "a" and "b" overlap at data byte 4',
  ],
  [
    'a hole between tensors',
    file(JSON.stringify({ b: entry([1], [8, 12]), a: entry([1], [0, 4]) }), 12),
    'safetensors: data bytes 4 to 8 belong to no tensor',
  ],
  ['a hole before the first tensor', one(entry([1], [4, 8]), 8), 'safetensors: data bytes 0 to 4 belong to no tensor'],
  ['bytes after the last tensor', one(entry([1], [0, 4]), 7), 'safetensors: 3 bytes follow the last tensor'],
  ['data without tensors', file('{}', 1), 'safetensors: 1 bytes follow the last tensor'],
  ['metadata that is no object', file('{"__metadata__":"pt"}'), 'safetensors __metadata__: needs an object; got "pt"'],
  ['metadata with a number', file('{"__metadata__":{"epoch":3}}'), 'safetensors __metadata__: "epoch" needs a string; got 3'],
];

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a malformed file gives its own sentence', () => {
  test.each(malformed)('%s', (_, bytes, sentence) => {
    const error = thrown(() => readSafetensors(bytes));
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).code).toBe('E_FORMAT');
    expect((error as FormatError).message).toBe(sentence);
  });

  test('a file that is cut anywhere never gives a result', () => {
    const bytes = writeSafetensors([['a', { dtype: 'F32', shape: [3], data: new Float32Array([1, 2, 3]) }]], { format: 'pt' });
    for (let length = 0; length < bytes.length; length++) {
      expect(
        thrown(() => readSafetensors(bytes.subarray(0, length))),
        `cut at ${length}`,
      ).toBeInstanceOf(FormatError);
    }
  });

  test('something that is no file', () => {
    const error = thrown(() => readSafetensors('weights' as unknown as ArrayBuffer));
    expect((error as FormatError).message).toBe('safetensors: a file needs an ArrayBuffer or a Uint8Array; got string');
  });
});

describe('reading', () => {
  const cases = JSON.parse(readFileSync(new URL('index.json', golden), 'utf8')) as string[];

  test('every golden file writes back to the same bits', () => {
    for (const name of cases) {
      for (const kind of ['weights', 'io']) {
        const bytes = new Uint8Array(readFileSync(new URL(`${name}/${kind}.safetensors`, golden)));
        const { tensors, metadata } = readSafetensors(bytes);
        expect(Buffer.compare(writeSafetensors(tensors, metadata), bytes), `${name}/${kind}`).toBe(0);
      }
    }
  });

  test('values and shapes, from any offset in a larger buffer', () => {
    const bytes = new Uint8Array(readFileSync(new URL('maf-d2/io.safetensors', golden)));
    const buffer = bytes.slice().buffer;
    const reference = readSafetensors(buffer).tensors;
    expect(reference.get('x')!.shape).toEqual([128, 2]);
    for (let offset = 0; offset < 8; offset++) {
      const shifted = new Uint8Array(bytes.length + offset);
      shifted.set(bytes, offset);
      const { tensors } = readSafetensors(shifted.subarray(offset));
      expect([...tensors.keys()]).toEqual([...reference.keys()]);
      for (const [name, tensor] of tensors) expect(tensor, name).toEqual(reference.get(name));
    }
  });

  test('an empty file of no tensors', () => {
    expect(readSafetensors(file('{}'))).toEqual({ tensors: new Map(), metadata: {} });
  });

  test('names that look like indices keep the order of the file', () => {
    const header = '{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"0":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}';
    expect([...readSafetensors(file(header, 2)).tensors.keys()]).toEqual(['b', '0']);
  });
});

describe('writing', () => {
  const mixed: [string, StoredTensor][] = [
    ['10', { dtype: 'BOOL', shape: [3], data: new Uint8Array([1, 0, 1]) }],
    ['weight', { dtype: 'F32', shape: [2, 2], data: new Float32Array([1, -0, Number.NaN, 1e-45]) }],
    ['2', { dtype: 'F64', shape: [], data: new Float64Array([Math.PI]) }],
    ['steps "é"', { dtype: 'I64', shape: [2], data: new BigInt64Array([-1n, 2n ** 62n]) }],
    ['empty', { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) }],
    ['half', { dtype: 'F16', shape: [1], data: new Uint8Array([0, 0x3c]) }],
    ['int', { dtype: 'I32', shape: [1], data: new Int32Array([-7]) }],
  ];

  test('a round trip keeps names, order, shapes, bits and metadata', () => {
    const bytes = writeSafetensors(mixed, { format: 'pt', 'key "2"': 'ü' });
    const { tensors, metadata } = readSafetensors(bytes);
    expect(metadata).toEqual({ format: 'pt', 'key "2"': 'ü' });
    expect([...tensors]).toEqual(mixed);
    expect(Buffer.compare(writeSafetensors(tensors, metadata), bytes)).toBe(0);
  });

  test('the header ends on a multiple of 8 and every tensor is aligned to its own item size', () => {
    const bytes = writeSafetensors(mixed);
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
    for (const { data } of readSafetensors(bytes).tensors.values()) {
      expect(data.buffer).toBe(bytes.buffer);
      expect(data.byteOffset % data.BYTES_PER_ELEMENT).toBe(0);
    }
  });

  test('data that does not fit its shape, a reserved name and a name twice are refused', () => {
    const single: StoredTensor = { dtype: 'F32', shape: [1], data: new Float32Array(1) };
    const message = (...tensors: [string, StoredTensor][]) => (thrown(() => writeSafetensors(tensors)) as FormatError).message;
    expect(message(['a', { ...single, shape: [2] }])).toBe(`${at}: F32 [2] needs 8 bytes; it has 4`);
    expect(message(['__metadata__', single])).toBe('safetensors tensor "__metadata__": the name is reserved');
    expect(message(['a', single], ['a', single])).toBe('safetensors: the name "a" occurs twice');
  });
});

test('toFloat32 decodes every dtype', () => {
  const bytes = (...values: number[]) => new Uint8Array(values);
  const numbers = (dtype: StoredTensor['dtype'], data: StoredTensor['data'], count = 1) => [...toFloat32({ dtype, shape: [count], data })];
  expect(numbers('F32', new Float32Array([1.5]))).toEqual([1.5]);
  expect(numbers('F64', new Float64Array([0.1]))).toEqual([Math.fround(0.1)]);
  expect(numbers('I64', new BigInt64Array([-3n]))).toEqual([-3]);
  expect(numbers('I32', new Int32Array([-4]))).toEqual([-4]);
  expect(numbers('BOOL', bytes(0, 1), 2)).toEqual([0, 1]);
  expect(numbers('U8', bytes(255))).toEqual([255]);
  expect(numbers('I8', bytes(255))).toEqual([-1]);
  expect(numbers('I16', bytes(254, 255))).toEqual([-2]);
  expect(numbers('U16', bytes(254, 255))).toEqual([65534]);
  expect(numbers('U32', bytes(0, 0, 0, 128))).toEqual([2 ** 31]);
  expect(numbers('U64', bytes(0, 0, 0, 0, 1, 0, 0, 0))).toEqual([2 ** 32]);
  expect(numbers('BF16', bytes(0x80, 0xbf, 0x49, 0x40), 2)).toEqual([-1, 3.140625]);
  // 1, -2, the largest half, the smallest subnormal, infinity, NaN
  const halves = bytes(0, 0x3c, 0, 0xc0, 0xff, 0x7b, 1, 0, 0, 0x7c, 1, 0x7c);
  expect(numbers('F16', halves, 6)).toEqual([1, -2, 65504, 2 ** -24, Number.POSITIVE_INFINITY, Number.NaN]);
});
