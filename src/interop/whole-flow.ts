// A flow as its library's class and constructor arguments. What derives a description from those loads when one is met.

import type { FlowDescription } from '../format/description.js';
import { parseDescription } from '../format/format.js';
import { isObject, type StoredTensor } from '../format/safetensors.js';
import { loadLater } from '../load-later.js';

/** Whether the object is of the { library, class, constructor } form. An explicit `structure` wins over the constructor. */
export function isWholeFlow(description: unknown): boolean {
  if (!isObject(description)) return false; // parseDescription says what is wrong with it
  return Object.hasOwn(description, 'class') && Object.hasOwn(description, 'constructor') && !Object.hasOwn(description, 'structure');
}

/**
 * The neutral description of either form. `tensorsOf` gives the tensors of the state_dict, `place` names a neutral description in errors.
 * @throws what parseDescription or deriveDescription throws.
 */
export async function neutralDescription(
  description: object,
  tensorsOf: () => ReadonlyMap<string, StoredTensor>,
  place?: string,
): Promise<FlowDescription> {
  if (!isWholeFlow(description)) return parseDescription(description, place);
  const { deriveDescription } = await loadLater();
  return parseDescription(deriveDescription(description, tensorsOf()));
}
