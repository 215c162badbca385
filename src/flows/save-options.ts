import type { StoredTensor } from '../format/safetensors.js';
import { checkOneOf } from './checks.js';

export interface SaveOptions {
  /** How tensors of two and more dimensions are written: as they were loaded (default), all in float32, or rounded to float16. */
  readonly weights?: 'float32' | 'float16';
}

/** Whether some weights came in float16. */
export const hasHalves = (tensors: ReadonlyMap<string, StoredTensor>): boolean => [...tensors.values()].some(({ half }) => half);

/** The tensors as a file is to hold them. @throws ValueError */
export async function asSaved(
  tensors: ReadonlyMap<string, StoredTensor>,
  { weights }: SaveOptions = {},
): Promise<ReadonlyMap<string, StoredTensor>> {
  if (weights) checkOneOf('save: weights', weights, ['float32', 'float16']);
  if (weights === 'float32' || !(weights || hasHalves(tensors))) return tensors;
  const { halved, asRead } = await import('../format/half.js');
  return weights ? halved(tensors, 'save') : asRead(tensors);
}
