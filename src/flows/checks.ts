// Arguments of the public surface, checked before anything is recorded. Each check names the place and both sides.

import { product } from '../format/shape.js';
import { LimitError, ShapeError, ValueError } from '../runtime/errors.js';
import { STORAGE } from '../runtime/usage.js';

/** A value as a sentence shows it: short ones as they are written, others by their class. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function' || typeof value === 'bigint') return typeof value;
  if (typeof value !== 'object' || value === null) return String(value);
  const kind = value.constructor;
  const written = kind === Object || kind === Array ? JSON.stringify(value) : '';
  return written && written.length < 200 ? written : (kind?.name ?? 'object');
}

/** @throws ValueError */
export function refuse(place: string, expected: string, got: unknown): never {
  throw new ValueError(place, expected, show(got));
}

/** @throws ValueError unless `holds`. */
export function check(holds: boolean, place: string, expected: string, got: unknown): asserts holds {
  if (!holds) refuse(place, expected, got);
}

/** @throws ValueError */
export function checkInteger(place: string, value: number, least: number, most = Number.POSITIVE_INFINITY): void {
  const range = `from ${least} to ${most < 2 ** 32 - 1 ? most : `2^${Math.log2(most + 1)} − 1`}`;
  const holds = Number.isSafeInteger(value) && value >= least && value <= most;
  check(holds, place, `an integer ${most === Number.POSITIVE_INFINITY ? `≥ ${least}` : range}`, value);
}

/** @throws ValueError */
export function checkOneOf<T extends string>(place: string, value: T, known: readonly T[]): void {
  const names = known.map((name) => `'${name}'`);
  check(known.includes(value), place, `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`, value);
}

/** Rows of a row-major array [n, width]. */
export function checkRows(place: string, array: Float32Array, width: number): number {
  check(array instanceof Float32Array, place, 'a Float32Array', array);
  if (array.length % width !== 0) throw new ShapeError(place, `[n, ${width}], a multiple of ${width} numbers`, `${array.length}`);
  return array.length / width;
}

/** Entries of [n, width] that count from 0. @throws ValueError */
export function checkIntegers(place: string, array: Float32Array, width: number, levels: number): void {
  const bad = array.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value < levels));
  if (bad >= 0)
    refuse(`${place}, row ${Math.floor(bad / width)}, feature ${bad % width},`, `an integer from 0 to ${levels - 1}`, array[bad]);
}

export function checkCount(place: string, count: number): number {
  checkInteger(`${place}: count`, count, 0, 2 ** 32 - 1);
  return count;
}

export function checkSeed(place: string, seed: number): number {
  checkInteger(`${place}: seed`, seed, 0, Number.MAX_SAFE_INTEGER);
  return seed;
}

/** A seed for a caller who gave none. Not for cryptography. */
export const randomSeed = (): number => Math.floor(Math.random() * 2 ** 53);

/** Refuses a context of a flow that reads none, and the lack of one where it reads one. @throws ShapeError */
function checkPresence(place: string, given: boolean, contextDim: number, rows: number, got: string): string {
  const expected = contextDim === 0 ? 'nothing: the flow is unconditional' : `[${rows}, ${contextDim}] or [${contextDim}]`;
  if (given !== contextDim > 0) throw new ShapeError(place, expected, given ? got : 'none');
  return expected;
}

/** The caller's seed, or another where none is given. @throws ValueError */
export const resolveSeed = (place: string, seed: number | undefined, otherwise: () => number): number =>
  seed === undefined ? otherwise() : checkSeed(place, seed);

/** 0 where one context row serves all rows, 1 where each has its own. */
export function checkContext(caller: string, context: Float32Array | undefined, contextDim: number, rows: number): 0 | 1 {
  const place = `${caller}: context`;
  const expected = checkPresence(place, context !== undefined, contextDim, rows, `${context?.length ?? 'no'} numbers`);
  if (context === undefined) return 1;
  check(context instanceof Float32Array, place, 'a Float32Array', context);
  if (context.length === rows * contextDim) return 1;
  if (context.length === contextDim) return 0;
  throw new ShapeError(place, expected, `${context.length} numbers`);
}

/** Room for a result [count, width]. */
export function allocate(place: string, count: number, width: number): Float32Array {
  try {
    return new Float32Array(count * width);
  } catch {
    throw new LimitError(`${place}: count`, 'a result that fits one Float32Array', `${count} rows of ${width} numbers`);
  }
}

export function checkEncoder(place: string, encoder: GPUCommandEncoder): void {
  check(typeof encoder?.beginComputePass === 'function', `${place}: encoder`, 'a GPUCommandEncoder', encoder);
}

/** A caller's buffer of at least the shape's floats, bindable as storage. */
export function checkBuffer(place: string, buffer: GPUBuffer, shape: readonly number[]): void {
  check(typeof buffer?.size === 'number' && typeof buffer.usage === 'number', place, 'a GPUBuffer', buffer);
  const bytes = 4 * product(shape);
  if (buffer.size < bytes) throw new ShapeError(place, `[${shape.join(', ')}], ${bytes} bytes`, `${buffer.size} bytes`);
  if ((buffer.usage & STORAGE) === 0) throw new ValueError(place, 'usage GPUBufferUsage.STORAGE', `usage ${buffer.usage}`);
}

/** As checkContext, for a buffer [count, C] or [C]. */
export function checkContextBuffer(caller: string, context: GPUBuffer | undefined, contextDim: number, count: number): 0 | 1 {
  const place = `${caller}: context`;
  const expected = checkPresence(place, context !== undefined, contextDim, count, `${context?.size ?? 'no'} bytes`);
  if (context === undefined) return 1;
  const stride = context?.size >= count * contextDim * 4 ? 1 : 0;
  checkBuffer(place, context, stride === 1 ? [count, contextDim] : [contextDim]);
  if (stride === 0 && context.size !== contextDim * 4) throw new ShapeError(place, expected, `${context.size} bytes`);
  return stride;
}
