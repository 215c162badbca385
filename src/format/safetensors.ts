// Reads and writes safetensors files: 8 bytes little-endian header length, a JSON header, raw little-endian data without holes.
// Reading is strict: a file that breaks a rule gives one FormatError and nothing else.

import { FormatError } from '../runtime/errors.js';

/** Item types that the reader knows, with their size in bytes. */
const itemSizes = { F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, U32: 4, F16: 2, BF16: 2, I16: 2, U16: 2, I8: 1, U8: 1, BOOL: 1 } as const;

/** Name of an item type as the file spells it. */
export type TensorDtype = keyof typeof itemSizes;

/** F32, F64, I64 and I32 come as their typed array; every other dtype as the raw little-endian bytes (BOOL: one byte each, 0 or 1). */
export type TensorData = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

/** One tensor, row-major. `shape` is [] for a scalar. */
export interface StoredTensor {
  dtype: TensorDtype;
  shape: number[];
  data: TensorData;
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

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

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
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(place, 'the header is not valid JSON', { cause });
  }
  if (!isObject(header) || !text.startsWith('{'))
    throw new FormatError(place, 'the header is not a JSON object that starts at its first byte');
  return { header, names: outerKeys(text), dataStart };
}

function readEntry(name: string, value: unknown, dataLength: number): Entry {
  const at = `${place} tensor ${show(name)}`;
  if (!isObject(value)) throw new FormatError(at, `the entry needs an object; got ${show(value)}`);
  for (const key of ['dtype', 'shape', 'data_offsets']) {
    if (!Object.hasOwn(value, key)) throw new FormatError(at, `the entry has no ${key}`);
  }
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') throw new FormatError(at, `dtype needs a string; got ${show(dtype)}`);
  if (!Object.hasOwn(itemSizes, dtype)) {
    throw new FormatError(at, `dtype needs one of ${Object.keys(itemSizes).join(', ')}; got ${show(dtype)}`);
  }
  if (!Array.isArray(shape)) throw new FormatError(at, `shape needs a list; got ${show(shape)}`);
  if (!shape.every(isCount)) throw new FormatError(at, `shape needs whole numbers from 0 to 2^53 - 1; got ${show(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw new FormatError(at, `data_offsets needs two whole numbers from 0 to 2^53 - 1; got ${show(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end) throw new FormatError(at, `data_offsets begin at ${begin}, after their end at ${end}`);
  if (end > dataLength) throw new FormatError(at, `data_offsets end at ${end}; the data section has ${dataLength} bytes`);
  // The product may pass 2^53, where it can only be wrong; rounding cannot bring it back down to end - begin.
  const bytes = (shape as number[]).reduce((product, size) => product * size, itemSizes[dtype as TensorDtype]);
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
  const at = file.byteOffset + start;
  const size = itemSizes[dtype];
  // A typed array has to begin at a multiple of its item size; data that does not is copied.
  const aligned = at % size === 0;
  const buffer = aligned ? file.buffer : file.slice(start, start + bytes).buffer;
  const offset = aligned ? at : 0;
  if (dtype === 'F32') return new Float32Array(buffer, offset, bytes / 4);
  if (dtype === 'F64') return new Float64Array(buffer, offset, bytes / 8);
  if (dtype === 'I64') return new BigInt64Array(buffer, offset, bytes / 8);
  if (dtype === 'I32') return new Int32Array(buffer, offset, bytes / 4);
  return new Uint8Array(file.buffer, at, bytes);
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
  const listed: Entry[] = [];
  const data = new Map<string, TensorData>();
  for (const [name, tensor] of tensors) {
    const at = `${place} tensor ${show(name)}`;
    if (name === '__metadata__') throw new FormatError(at, 'the name is reserved');
    if (data.has(name)) throw new FormatError(place, `the name ${show(name)} occurs twice`);
    readEntry(name, { ...tensor, data_offsets: [0, tensor.data.byteLength] }, tensor.data.byteLength);
    data.set(name, tensor.data);
    listed.push({ name, dtype: tensor.dtype, shape: tensor.shape, begin: 0, end: 0 });
  }
  let total = 0;
  for (const entry of [...listed].sort((a, b) => itemSizes[b.dtype] - itemSizes[a.dtype])) {
    entry.begin = total;
    total += data.get(entry.name)!.byteLength;
    entry.end = total;
  }
  // Joined by hand: an object would move a name such as "0" to the front.
  const parts = listed.map(({ name, dtype, shape, begin, end }) => `${show(name)}:${show({ dtype, shape, data_offsets: [begin, end] })}`);
  if (Object.keys(metadata).length > 0) parts.unshift(`"__metadata__":${show(metadata)}`);
  const header = new TextEncoder().encode(`{${parts.join(',')}}`);
  const padded = Math.ceil(header.length / 8) * 8;
  const file = new Uint8Array(8 + padded + total);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(header, 8);
  file.fill(0x20, 8 + header.length, 8 + padded);
  for (const { name, begin } of listed) {
    const { buffer, byteOffset, byteLength } = data.get(name)!;
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

/**
 * The tensor's numbers as a new Float32Array, row-major. F32, F16, BF16, BOOL and the small integers are exact; F64 and the wide
 * integers are rounded to the nearest float32.
 */
export function toFloat32(tensor: StoredTensor): Float32Array {
  const { dtype, data } = tensor;
  if (data instanceof BigInt64Array) return Float32Array.from(data, Number);
  if (!(data instanceof Uint8Array)) return new Float32Array(data);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const read: Record<string, (at: number) => number> = {
    U64: (at) => Number(view.getBigUint64(at, true)),
    U32: (at) => view.getUint32(at, true),
    I16: (at) => view.getInt16(at, true),
    U16: (at) => view.getUint16(at, true),
    F16: (at) => halfToNumber(view.getUint16(at, true)),
    BF16: (at) => new Float32Array(new Uint32Array([view.getUint16(at, true) << 16]).buffer)[0]!,
    I8: (at) => view.getInt8(at),
  };
  const size = itemSizes[dtype];
  const readOne = read[dtype] ?? ((at: number) => view.getUint8(at));
  return Float32Array.from({ length: data.byteLength / size }, (_, i) => readOne(i * size));
}
