// Errors as a caller sees them: class, code and sentence.

import { expect } from 'vitest';
import type { PushforwardError } from '../../src/index.js';

type ErrorClass = abstract new (...args: never[]) => PushforwardError;

/** What a call throws or rejects with. */
export async function thrown(body: () => unknown): Promise<unknown> {
  try {
    await body();
  } catch (error) {
    return error;
  }
  return expect.fail('nothing was thrown');
}

export async function expectError(body: () => unknown, type: ErrorClass, code: string, sentence: string | RegExp): Promise<void> {
  const error = await thrown(body);
  expect(error).toBeInstanceOf(type);
  const { name, code: got, message } = error as PushforwardError;
  expect({ name, code: got }).toEqual({ name: type.name, code });
  if (typeof sentence === 'string') expect(message).toBe(sentence);
  else expect(message).toMatch(sentence);
}

/** A value that TypeScript would refuse. */
export const wrong = <T>(value: unknown): T => value as T;
