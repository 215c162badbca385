import { FormatError } from '../runtime/errors.js';

const written = (value: unknown): string => (Array.isArray(value) ? `[${value.join(', ')}]` : String(value));

/** @throws FormatError unless `holds`: what the place needs, and what came. */
export function needs(holds: boolean, place: string, expected: string, got: unknown): asserts holds {
  if (!holds) throw new FormatError(place, `needs ${expected}; got ${written(got)}`);
}
