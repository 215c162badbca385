// In which order a buffer holds the learned numbers: flat, tensor by tensor as in the file; or packed, as the kernels read them, so that nothing
// has to be carried to and fro each step.

import { kindsOf, updateLength } from '../kernels/optimiser.js';
import { NEGATIVE } from '../kernels/parameters.js';
import type { ParameterLayout } from './trainable.js';

export interface ParameterOrder {
  /** Parameters. */
  readonly count: number;
  /** Elements of the buffer, as many as the optimiser takes. */
  readonly length: number;
  /** Packed: what the buffer holds beside parameters, and of each parameter its element, or −1 where no kernel reads it. Null for flat. */
  readonly packed: { readonly initial: Float32Array; readonly slots: Int32Array } | null;
}

export const flatOrder = ({ count }: ParameterLayout): ParameterOrder => ({ count, length: updateLength(count), packed: null });

/**
 * The order of packed numbers, `places` of which are parameters (shaders/parameters.wgsl); null where one is read in two places, or negatively.
 *
 * @param initial the packed numbers, a multiple of what the optimiser takes.
 */
export function packedOrder(places: Uint32Array, initial: Float32Array, count: number): ParameterOrder | null {
  const slots = new Int32Array(count).fill(-1);
  for (const [i, word] of places.entries()) {
    if (word === 0) continue;
    if (word >= NEGATIVE || slots[word - 1]! >= 0) return null;
    slots[word - 1] = i;
  }
  return { count, length: places.length, packed: { initial, slots } };
}

const slotOf = ({ packed }: ParameterOrder, j: number): number => packed?.slots[j] ?? j;

/** Flat numbers in this order, among what the packed ones hold beside them, or among zeros. */
export function ordered(order: ParameterOrder, flat: Float32Array, beside: 'initial' | 'zeros'): Float32Array<ArrayBuffer> {
  const { length, packed } = order;
  const buffer = new Float32Array(length);
  if (packed && beside === 'initial') buffer.set(packed.initial);
  for (const [j, value] of flat.entries()) {
    const slot = slotOf(order, j);
    if (slot >= 0) buffer[slot] = value;
  }
  return buffer;
}

/** The flat numbers out of a buffer in this order. @param unread flat, for those that no kernel reads, which the buffer does not hold; null for zeros. */
export const flattened = (order: ParameterOrder, buffer: Float32Array, unread: Float32Array | null): Float32Array =>
  new Float32Array(order.count).map((_, j) => {
    const slot = slotOf(order, j);
    return slot < 0 ? (unread?.[j] ?? 0) : buffer[slot]!;
  });

/** Places in a flat vector, as places in a buffer of this order. 0, which is none, for a parameter that the buffer does not hold. */
export function placesIn(order: ParameterOrder, places: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  if (!order.packed) return places;
  return places.map((word) => {
    if (word === 0) return 0;
    const negative = word >= NEGATIVE;
    const slot = slotOf(order, (negative ? word - NEGATIVE : word) - 1);
    return slot < 0 ? 0 : 1 + slot + (negative ? NEGATIVE : 0);
  });
}

/** Which elements the optimiser changes, and which of those decay. Weight decay leaves vectors alone: biases, scales, shifts. */
export function kindsIn(order: ParameterOrder, { tensors }: ParameterLayout): Uint32Array<ArrayBuffer> {
  const learned = new Uint8Array(order.length);
  const decaying = new Uint8Array(order.length);
  for (const { from, length, shape } of tensors)
    for (let j = from; j < from + length; j++) {
      const slot = slotOf(order, j);
      if (slot < 0) continue;
      learned[slot] = 1;
      if (shape.length > 1) decaying[slot] = 1;
    }
  return kindsOf(
    order.length,
    (i) => learned[i] === 1,
    (i) => decaying[i] === 1,
  );
}
