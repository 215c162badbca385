import { readSafetensors, type StoredTensor, toFloat32 } from '../format/safetensors.js';

/** float16 and bfloat16 as the float32 that they are; which were float16 is remembered, so that they may stay that on the device and in a file. */
function widened(tensor: StoredTensor): StoredTensor {
  const { dtype, shape } = tensor;
  if (dtype !== 'F16' && dtype !== 'BF16') return tensor;
  return { dtype: 'F32', shape, data: toFloat32(tensor), ...(dtype === 'F16' && { half: true as const }) };
}

/**
 * Tensors and metadata of a file. The flow keeps views of it for `parameters` and `save`; what the caller does to its own bytes later must not reach
 * them, so it is copied.
 *
 * @throws FormatError
 */
export function readTensors(bytes: ArrayBuffer | Uint8Array): ReturnType<typeof readSafetensors> {
  const { tensors, metadata } = readSafetensors(bytes instanceof ArrayBuffer || bytes instanceof Uint8Array ? bytes.slice(0) : bytes);
  return { tensors: new Map(Array.from(tensors, ([name, tensor]) => [name, widened(tensor)])), metadata };
}
