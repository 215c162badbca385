// Arguments of the public surface, checked before anything is recorded. Each check names the place and both sides.

import { LimitError, ShapeError, ValueError } from '../runtime/errors.js';
import { STORAGE } from '../runtime/usage.js';

const typeOf = (value: unknown): string =>
  value === null ? 'null' : typeof value === 'object' ? (value?.constructor?.name ?? 'object') : typeof value;

/** A value as a sentence shows it: a string with its quotes, an object by its class. */
const show = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value) : typeof value === 'number' ? String(value) : typeOf(value);

/** Rows of a row-major array [n, width]. */
export function checkRows(place: string, array: Float32Array, width: number): number {
  if (!(array instanceof Float32Array)) throw new ValueError(place, 'a Float32Array', show(array));
  if (array.length % width !== 0) throw new ShapeError(place, `[n, ${width}], a multiple of ${width} numbers`, `${array.length}`);
  return array.length / width;
}

export function checkCount(place: string, count: number): number {
  if (!Number.isInteger(count) || count < 0 || count >= 2 ** 32)
    throw new ValueError(`${place}: count`, 'an integer from 0 to 2^32 − 1', show(count));
  return count;
}

export function checkSeed(place: string, seed: number): number {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new ValueError(`${place}: seed`, 'an integer from 0 to 2^53 − 1', show(seed));
  return seed;
}

/** A seed for a caller who gave none. Not for cryptography. */
export const randomSeed = (): number => Math.floor(Math.random() * 2 ** 53);

/** The caller's seed, or another where none is given. @throws ValueError */
export const resolveSeed = (place: string, seed: number | undefined, otherwise: () => number): number =>
  seed === undefined ? otherwise() : checkSeed(place, seed);

/** 0 where one context row serves all rows, 1 where each has its own. */
export function checkContext(place: string, context: Float32Array | undefined, contextDim: number, rows: number): 0 | 1 {
  if (contextDim === 0) {
    if (context === undefined) return 1;
    throw new ShapeError(`${place}: context`, 'nothing: the flow is unconditional', `${context?.length ?? 'no'} numbers`);
  }
  const expected = `[${rows}, ${contextDim}] or [${contextDim}]`;
  if (context === undefined) throw new ShapeError(`${place}: context`, expected, 'none');
  if (!(context instanceof Float32Array)) throw new ValueError(`${place}: context`, 'a Float32Array', show(context));
  if (context.length === rows * contextDim) return 1;
  if (context.length === contextDim) return 0;
  throw new ShapeError(`${place}: context`, expected, `${context.length} numbers`);
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
  if (typeof encoder?.beginComputePass !== 'function') throw new ValueError(`${place}: encoder`, 'a GPUCommandEncoder', show(encoder));
}

/** A caller's buffer of at least the shape's floats, bindable as storage. */
export function checkBuffer(place: string, buffer: GPUBuffer, shape: readonly number[]): void {
  if (typeof buffer?.size !== 'number' || typeof buffer.usage !== 'number') throw new ValueError(place, 'a GPUBuffer', show(buffer));
  const bytes = shape.reduce((a, b) => a * b, 4);
  if (buffer.size < bytes) throw new ShapeError(place, `[${shape.join(', ')}], ${bytes} bytes`, `${buffer.size} bytes`);
  if ((buffer.usage & STORAGE) === 0) throw new ValueError(place, 'usage GPUBufferUsage.STORAGE', `usage ${buffer.usage}`);
}

/** As checkContext, for a buffer [count, C] or [C]. */
export function checkContextBuffer(place: string, context: GPUBuffer | undefined, contextDim: number, count: number): 0 | 1 {
  if (contextDim === 0) {
    if (context === undefined) return 1;
    throw new ShapeError(`${place}: context`, 'nothing: the flow is unconditional', `${context?.size ?? 'no'} bytes`);
  }
  if (context === undefined) throw new ShapeError(`${place}: context`, `a buffer [${count}, ${contextDim}] or [${contextDim}]`, 'none');
  const stride = context?.size >= count * contextDim * 4 ? 1 : 0;
  checkBuffer(`${place}: context`, context, stride === 1 ? [count, contextDim] : [contextDim]);
  if (stride === 0 && context.size !== contextDim * 4)
    throw new ShapeError(`${place}: context`, `[${count}, ${contextDim}] or [${contextDim}]`, `${context.size} bytes`);
  return stride;
}
