// A description in the metadata of a saved file.

import { FormatError } from '../runtime/errors.js';

/** @throws FormatError, `subject` being what is not JSON. */
export function parseJson(text: string, place: string, subject = ''): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(place, `${subject}is not valid JSON`, { cause });
  }
}

/** `format: "pt"`, so that PyTorch's own readers take the file, and the description. */
export const metadataWith = (key: string, description: object): Record<string, string> => ({
  format: 'pt',
  [key]: JSON.stringify(description),
});

/** The description under `key`. @throws FormatError where there is none; `expected`: what it is, and where else to turn. */
export function readMetadata(metadata: Readonly<Record<string, string>>, key: string, expected: string): unknown {
  if (!Object.hasOwn(metadata, key)) throw new FormatError('__metadata__', `needs the key "${key}" with ${expected}`);
  return parseJson(metadata[key]!, `__metadata__.${key}`);
}
