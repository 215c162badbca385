/** Numbers in two parts, [2, n]: the leading 12 bits, and what float32 holds of the rest. For shaders/lib/split-product.wgsl. */
export function splitConstants(values: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const count = values.length;
  const parts = new Float32Array(2 * count);
  const bits = new Uint32Array(parts.buffer);
  for (let i = 0; i < count; i++) {
    parts[i] = values[i]!;
    bits[i]! &= 0xfffff000;
    parts[count + i] = values[i]! - parts[i]!;
  }
  return parts;
}
