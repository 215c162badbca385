// Numbers in float16 (IEEE 754 binary16): 11 bits of precision from 6.1e-5 to 65504, fewer down to 6e-8.

import { ValueError } from '../runtime/errors.js';
import { type StoredTensor, toFloat32 } from './safetensors.js';

/** Largest number that float16 holds. */
const LARGEST = 65504;

const words = new Float32Array(1);
const bitsOf = new Uint32Array(words.buffer);

/** Bits of the nearest float16, ties to even. Beyond 65519 that is infinity. */
export function toHalf(value: number): number {
  words[0] = value;
  const bits = bitsOf[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 255) - 112; // of a float16
  const fraction = bits & 0x7fffff;
  if (exponent >= 143) return sign | (fraction ? 0x7e00 : 0x7c00); // NaN and infinity
  if (exponent >= 31) return sign | 0x7c00;
  // Subnormals shift their leading 1 in. Below a quarter of the least one all bits go.
  const shift = exponent > 0 ? 13 : 14 - exponent;
  if (shift > 25) return sign;
  const whole = exponent > 0 ? (exponent << 23) | fraction : 0x800000 | fraction;
  const kept = whole >>> shift;
  const rest = whole & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return sign | (kept + (rest > tie || (rest === tie && (kept & 1) === 1) ? 1 : 0)); // a carry goes into the exponent, as it should
}

/** Whether float16 holds a float32 exactly, by its bits; subnormals do not count, since an adapter may flush them. */
function isHalf(bits: number): boolean {
  const magnitude = bits & 0x7fffffff;
  return magnitude === 0 || (magnitude >= 0x38800000 && magnitude <= 0x477fe000 && (bits & 0x1fff) === 0);
}

/** Two float16 a word, the first in the low half, of 4 n numbers; null where some would be rounded. */
export function packHalves(data: Float32Array): Uint32Array<ArrayBuffer> | null {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  if (!bits.every(isHalf)) return null;
  return Uint32Array.from({ length: data.length / 2 }, (_, i) => toHalf(data[2 * i]!) | (toHalf(data[2 * i + 1]!) << 16));
}

const stored = ({ shape }: StoredTensor, data: Uint16Array<ArrayBuffer>): StoredTensor => ({
  dtype: 'F16',
  shape,
  data: new Uint8Array(data.buffer),
});

/** What was read from float16, and is still what that holds, as float16 again. */
export function asRead(tensors: ReadonlyMap<string, StoredTensor>): Map<string, StoredTensor> {
  const narrow = (tensor: StoredTensor): StoredTensor => {
    if (!tensor.half) return tensor;
    const data = Uint16Array.from(tensor.data as Float32Array, toHalf);
    const back = toFloat32(stored(tensor, data));
    return back.every((value, i) => Object.is(value, tensor.data[i])) ? stored(tensor, data) : tensor;
  };
  return new Map(Array.from(tensors, ([name, tensor]) => [name, narrow(tensor)]));
}

/**
 * Tensors of two and more dimensions rounded to float16: matrices and kernels, no biases.
 *
 * @throws ValueError for a number beyond ± 65504, by the tensor's name.
 */
export function halved(tensors: ReadonlyMap<string, StoredTensor>, place: string): Map<string, StoredTensor> {
  const round = (name: string, tensor: StoredTensor): StoredTensor => {
    if (tensor.shape.length < 2 || tensor.dtype !== 'F32') return tensor;
    const data = Uint16Array.from(tensor.data as Float32Array, (value) => {
      // What would be subnormal rounds to 0 or to the least normal number: shaders may flush it.
      const size = Math.abs(value);
      if (size > LARGEST)
        throw new ValueError(`${place}: ${name}`, `numbers up to ${LARGEST} in size, the largest of float16`, String(value));
      return toHalf(size < 2 ** -14 ? Math.sign(value) * (size < 2 ** -15 ? 0 : 2 ** -14) : value);
    });
    return stored(tensor, data);
  };
  return new Map(Array.from(tensors, ([name, tensor]) => [name, round(name, tensor)]));
}
