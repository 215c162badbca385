// Reads and writes safetensors files: 8 bytes little-endian header length, a JSON header, raw little-endian data without holes.
// Reading is strict: a file that breaks a rule gives one FormatError and nothing else.

import { FormatError } from '../runtime/errors.js';
import { parseJson } from './metadata.js';

/** Item types that the reader knows, with the array that holds their bits. */
const arrays = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

const sizeOf = (dtype: TensorDtype): number => arrays[dtype].BYTES_PER_ELEMENT;

/** Name of an item type as the file spells it. */
export type TensorDtype = keyof typeof arrays;

/** F32, F64, I64 and I32 come as their typed array; every other dtype as the raw little-endian bytes (BOOL: one byte each, 0 or 1). */
export type TensorData = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

/** One tensor, row-major. `shape` is [] for a scalar. */
export interface StoredTensor {
  dtype: TensorDtype;
  shape: number[];
  data: TensorData;
  /** Of F32 that was read from float16. */
  half?: true;
}

interface Entry {
  name: string;
  dtype: TensorDtype;
  shape: number[];
  begin: number;
  end: number;
}

const maxHeaderBytes = 100_000_000;
const place = 'safetensors';

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whole and exact: a count above 2^53 has already lost its last digits in JSON.parse. */
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const show = (value: unknown): string => JSON.stringify(value) ?? String(value);

function asBytes(bytes: ArrayBuffer | Uint8Array): Uint8Array {
  if (ArrayBuffer.isView(bytes)) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  throw new FormatError(place, `a file needs an ArrayBuffer or a Uint8Array; got ${bytes === null ? 'null' : typeof bytes}`);
}

/**
 * The keys of the outermost object in file order. JSON.parse keeps the last of two equal keys and moves keys such as "0" to the front,
 * so names and their order are read from the text. `text` must be valid JSON. Equal keys in any object are an error.
 */
function outerKeys(text: string): string[] {
  const open: (Set<string> | null)[] = []; // null stands for an array
  const outer: string[] = [];
  let previous = '';
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const key = JSON.parse(previous) as string;
      const keys = open[open.length - 1]!;
      if (keys.has(key)) throw new FormatError(place, `the name ${show(key)} occurs twice in the header`);
      keys.add(key);
      if (open.length === 1) outer.push(key);
    }
    previous = token;
  }
  return outer;
}

function readHeader(file: Uint8Array): { header: Record<string, unknown>; names: string[]; dataStart: number } {
  if (file.length < 8) throw new FormatError(place, `a file needs at least 8 bytes; got ${file.length}`);
  const length = new DataView(file.buffer, file.byteOffset, file.byteLength).getBigUint64(0, true);
  if (length > maxHeaderBytes) throw new FormatError(place, `the header needs at most ${maxHeaderBytes} bytes; its length says ${length}`);
  const dataStart = 8 + Number(length);
  if (dataStart > file.length) {
    throw new FormatError(place, `the header length says ${length} bytes; only ${file.length - 8} follow it`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file.subarray(8, dataStart));
  } catch (cause) {
    throw new FormatError(place, 'the header is not valid UTF-8', { cause });
  }
  const header = parseJson(text, place, 'the header ');
  if (!isObject(header) || !text.startsWith('{'))
    throw new FormatError(place, 'the header is not a JSON object that starts at its first byte');
  return { header, names: outerKeys(text), dataStart };
}

function readEntry(name: string, value: unknown, dataLength: number): Entry {
  const at = `${place} tensor ${show(name)}`;
  const wrong = (what: string, got: unknown) => new FormatError(at, `${what}; got ${show(got)}`);
  if (!isObject(value)) throw wrong('the entry needs an object', value);
  for (const key of ['dtype', 'shape', 'data_offsets']) {
    if (!Object.hasOwn(value, key)) throw new FormatError(at, `the entry has no ${key}`);
  }
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') throw wrong('dtype needs a string', dtype);
  if (!Object.hasOwn(arrays, dtype)) throw wrong(`dtype needs one of ${Object.keys(arrays).join(', ')}`, dtype);
  if (!Array.isArray(shape)) throw wrong('shape needs a list', shape);
  if (!shape.every(isCount)) throw wrong('shape needs whole numbers from 0 to 2^53 - 1', shape);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw wrong('data_offsets needs two whole numbers from 0 to 2^53 - 1', offsets);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end) throw new FormatError(at, `data_offsets begin at ${begin}, after their end at ${end}`);
  if (end > dataLength) throw new FormatError(at, `data_offsets end at ${end}; the data section has ${dataLength} bytes`);
  // The product may pass 2^53, where it can only be wrong; rounding cannot bring it back down to end - begin.
  const bytes = (shape as number[]).reduce((product, size) => product * size, sizeOf(dtype as TensorDtype));
  if (bytes !== end - begin) {
    throw new FormatError(at, `${dtype} ${show(shape)} needs ${bytes} bytes; it has ${end - begin}`);
  }
  return { name, dtype: dtype as TensorDtype, shape: shape as number[], begin, end };
}

/** The ranges have to cover the data section exactly once. */
function checkCoverage(entries: readonly Entry[], dataLength: number): void {
  let covered = 0;
  let last = '';
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < covered) throw new FormatError(place, `tensors ${show(last)} and ${show(name)} overlap at data byte ${begin}`);
    if (begin > covered) throw new FormatError(place, `data bytes ${covered} to ${begin} belong to no tensor`);
    covered = end;
    last = name;
  }
  if (covered < dataLength) throw new FormatError(place, `${dataLength - covered} bytes follow the last tensor`);
}

function typedData(dtype: TensorDtype, file: Uint8Array, start: number, bytes: number): TensorData {
  const raw = file.subarray(start, start + bytes);
  if (dtype !== 'F32' && dtype !== 'F64' && dtype !== 'I64' && dtype !== 'I32') return raw;
  // A typed array has to begin at a multiple of its item size; data that does not is copied.
  const { buffer, byteOffset } = raw.byteOffset % sizeOf(dtype) === 0 ? raw : raw.slice();
  return new arrays[dtype](buffer as ArrayBuffer, byteOffset, bytes / sizeOf(dtype));
}

/**
 * Reads a safetensors file. `bytes` may be a view at any offset; the tensors' data are views of it where alignment allows, else copies.
 * `tensors` keeps the header's order. `metadata` is `__metadata__`, or {}.
 * @throws FormatError when the file breaks any rule of the format; nothing is returned in part.
 */
export function readSafetensors(bytes: ArrayBuffer | Uint8Array): { tensors: Map<string, StoredTensor>; metadata: Record<string, string> } {
  const file = asBytes(bytes);
  const { header, names, dataStart } = readHeader(file);
  const dataLength = file.length - dataStart;
  let metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const name of names) {
    const value = header[name];
    if (name !== '__metadata__') {
      entries.push(readEntry(name, value, dataLength));
      continue;
    }
    if (!isObject(value)) throw new FormatError(`${place} __metadata__`, `needs an object; got ${show(value)}`);
    for (const [key, text] of Object.entries(value)) {
      if (typeof text !== 'string') throw new FormatError(`${place} __metadata__`, `${show(key)} needs a string; got ${show(text)}`);
    }
    metadata = value as Record<string, string>;
  }
  checkCoverage(entries, dataLength);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    tensors.set(name, { dtype, shape, data: typedData(dtype, file, dataStart + begin, end - begin) });
  }
  return { tensors, metadata };
}

/**
 * Writes a safetensors file. The header lists the tensors in the order given; the data of wider dtypes lie first and the header is padded
 * with spaces to a multiple of 8, so every tensor is aligned to its own item size from the start of the file.
 * @throws FormatError for a name given twice or reserved, an unknown dtype, or data whose byte length does not fit dtype and shape.
 */
export function writeSafetensors(tensors: Iterable<readonly [string, StoredTensor]>, metadata: Record<string, string> = {}): Uint8Array {
  const listed = new Map<string, Entry & { readonly data: TensorData }>();
  for (const [name, tensor] of tensors) {
    const { data } = tensor;
    if (name === '__metadata__') throw new FormatError(`${place} tensor ${show(name)}`, 'the name is reserved');
    if (listed.has(name)) throw new FormatError(place, `the name ${show(name)} occurs twice`);
    listed.set(name, { ...readEntry(name, { ...tensor, data_offsets: [0, data.byteLength] }, data.byteLength), data });
  }
  const entries = [...listed.values()];
  let total = 0;
  for (const entry of entries.toSorted((a, b) => sizeOf(b.dtype) - sizeOf(a.dtype))) {
    entry.begin = total;
    total += entry.data.byteLength;
    entry.end = total;
  }
  // Joined by hand: an object would move a name such as "0" to the front.
  const parts = entries.map(({ name, dtype, shape, begin, end }) => `${show(name)}:${show({ dtype, shape, data_offsets: [begin, end] })}`);
  if (Object.keys(metadata).length > 0) parts.unshift(`"__metadata__":${show(metadata)}`);
  const header = new TextEncoder().encode(`{${parts.join(',')}}`);
  const padded = Math.ceil(header.length / 8) * 8;
  const file = new Uint8Array(8 + padded + total);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(header, 8);
  file.fill(0x20, 8 + header.length, 8 + padded);
  for (const { begin, data } of entries) {
    const { buffer, byteOffset, byteLength } = data;
    file.set(new Uint8Array(buffer, byteOffset, byteLength), 8 + padded + begin);
  }
  return file;
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** bfloat16: the upper half of a float32. */
const brainToNumber = (bits: number): number => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;

/**
 * The tensor's numbers as a new Float32Array, row-major. F32, F16, BF16, BOOL and the small integers are exact; F64 and the wide
 * integers are rounded to the nearest float32.
 */
export function toFloat32({ dtype, data }: StoredTensor): Float32Array {
  const numbers: ArrayLike<number | bigint> = data instanceof Uint8Array ? new arrays[dtype](data.slice().buffer) : data;
  const decode = dtype === 'F16' ? halfToNumber : dtype === 'BF16' ? brainToNumber : Number;
  return Float32Array.from(numbers as ArrayLike<number>, (value) => decode(value));
}
