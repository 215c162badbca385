// Objects that hold typed arrays as bytes: a line of JSON, then the arrays, each at a multiple of eight bytes.

const arrays = { Float32Array, Uint8Array } as const;
type Kind = keyof typeof arrays;

/** Stands for an array. Its key is one that no job has. */
interface Placed {
  readonly '[array]': { readonly kind: Kind; readonly at: number; readonly length: number };
}

const kindOf = (value: unknown): Kind | null =>
  value instanceof Float32Array ? 'Float32Array' : value instanceof Uint8Array ? 'Uint8Array' : null;

/** NaN and infinities, which JSON has no word for, come back as null. */
export function pack(value: unknown): Uint8Array<ArrayBuffer> {
  const held: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  let end = 0;
  // A function for its `this`: Node's Buffer, which is a Uint8Array, comes as the object that its own toJSON made.
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key: string, plain: unknown) {
    const item = this[key];
    const kind = kindOf(item);
    if (kind === null) return plain;
    const { buffer, byteOffset, byteLength, length } = item as Float32Array | Uint8Array;
    const placed: Placed = { '[array]': { kind, at: end, length } };
    held.push({ at: end, bytes: new Uint8Array(buffer, byteOffset, byteLength) });
    end = 8 * Math.ceil((end + byteLength) / 8);
    return placed;
  });
  const json = new TextEncoder().encode(text);
  const start = 8 + 8 * Math.ceil(json.length / 8);
  const bytes = new Uint8Array(start + end);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 8);
  for (const part of held) bytes.set(part.bytes, start + part.at);
  return bytes;
}

export function unpack(bytes: Uint8Array): unknown {
  // At offset 0 of a buffer of its own every array is aligned. Not by slice, which copies nothing of Node's Buffer.
  const whole = bytes.byteOffset === 0 ? bytes : new Uint8Array(bytes);
  const length = new DataView(whole.buffer).getUint32(0, true);
  const start = 8 + 8 * Math.ceil(length / 8);
  return JSON.parse(new TextDecoder().decode(whole.subarray(8, 8 + length)), (_, item: unknown) => {
    const placed = (item as Partial<Placed> | null)?.['[array]'];
    return placed ? new arrays[placed.kind](whole.buffer as ArrayBuffer, start + placed.at, placed.length) : item;
  });
}
