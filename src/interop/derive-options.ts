// What the libraries' derivations share: reading constructor arguments and looking things up in the tensors.

import type { Activation, BaseDescription, FlowDescription, OpDescription } from '../format/description.js';
import type { StoredTensor } from '../format/safetensors.js';
import { FormatError, UnsupportedError, ValueError } from '../runtime/errors.js';

/** What a derivation gets: the constructor's arguments, the tensors, and the library's version where it is known. */
export interface Derivation {
  readonly options: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly version: string | undefined;
}

/** What a derivation makes: the layers of a flow of vectors, from data to noise. */
export const vectorFlow = (
  features: number,
  context: number,
  structure: OpDescription[],
  base: BaseDescription = { type: 'standard_normal' },
): Omit<FlowDescription, 'version'> => ({
  features,
  context_features: context,
  event_shape: [features],
  base,
  structure_direction: 'density',
  structure,
});

const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1;

/** Kinds of argument: the words for what they need, and the test. */
const kinds = {
  size: { words: 'an integer ≥ 1', holds: isSize },
  count: { words: 'an integer ≥ 0', holds: (value: unknown) => value === 0 || isSize(value) },
  number: { words: 'a number ≥ 0', holds: (value: unknown) => Number.isFinite(value) && (value as number) >= 0 },
  flag: { words: 'true or false', holds: (value: unknown) => typeof value === 'boolean' },
  sizes: { words: 'a list of integers ≥ 1', holds: (value: unknown) => Array.isArray(value) && value.every(isSize) },
  text: { words: 'a string', holds: (value: unknown) => typeof value === 'string' },
};

interface Types {
  size: number;
  count: number;
  number: number;
  flag: boolean;
  sizes: number[];
  text: string;
}

/** The arguments a constructor takes: kind and, for those that may be left out, the default (the library's own). */
export type OptionsSpec = Readonly<Record<string, readonly [kind: keyof Types, fallback?: unknown]>>;

/**
 * The constructor's arguments with the defaults filled in; null stands for the default.
 * @throws ValueError for a name that `spec` does not have, a wrong type, or a missing argument without default.
 */
export function readOptions<S extends OptionsSpec>(
  options: Readonly<Record<string, unknown>>,
  spec: S,
): { [P in keyof S]: Types[S[P][0]] } {
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(spec, key)) throw new ValueError('description.constructor', `its keys among ${Object.keys(spec).join(', ')}`, key);
  }
  const read: Record<string, unknown> = {};
  for (const [key, [kind, fallback]] of Object.entries(spec)) {
    const value = options[key] ?? fallback;
    const { words, holds } = kinds[kind];
    if (!holds(value)) {
      throw new ValueError(`description.constructor.${key}`, words, value === undefined ? 'nothing' : JSON.stringify(value));
    }
    read[key] = value;
  }
  return read as { [P in keyof S]: Types[S[P][0]] };
}

const activations: Record<string, Activation> = {
  relu: 'relu',
  tanh: 'tanh',
  elu: 'elu',
  sigmoid: 'sigmoid',
  leakyrelu: 'leaky_relu',
  silu: 'silu',
  swish: 'silu',
  softplus: 'softplus',
  identity: 'identity',
};

/**
 * The activation behind any of torch's spellings: 'relu', 'torch.nn.functional.relu', 'ReLU', 'torch.nn.ReLU()', and the texts Python
 * prints for them, '<function relu at 0x…>' and "<class 'torch.nn.modules.activation.ReLU'>". Their arguments are torch's defaults.
 * @throws UnsupportedError for any other.
 */
export function readActivation(spelling: string): Activation {
  const words = spelling.split(/[^A-Za-z0-9_]+/).map((word) => word.replaceAll('_', '').toLowerCase());
  const found = words.filter((word) => Object.hasOwn(activations, word));
  // Anything in brackets may be a parameter, such as another slope.
  if (found.length !== 1 || /\([^)]/.test(spelling)) {
    throw new UnsupportedError('description.constructor.activation', JSON.stringify(spelling), [...new Set(Object.values(activations))]);
  }
  return activations[found[0]!]!;
}

/**
 * The tensor of that name.
 * @throws FormatError when the weights do not have it.
 */
export function requireTensor(tensors: ReadonlyMap<string, StoredTensor>, name: string): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new FormatError('weights', `need a tensor "${name}", which the constructor's flow has; there is none`);
  return tensor;
}

/** A tensor of indices or of zeros and ones, as numbers. */
export function readIndices(tensors: ReadonlyMap<string, StoredTensor>, name: string): number[] {
  const { dtype, data } = requireTensor(tensors, name);
  if (dtype !== 'I64' && dtype !== 'I32' && dtype !== 'BOOL' && dtype !== 'U8') {
    throw new FormatError('weights', `"${name}" needs whole numbers (I64, I32, U8 or BOOL); it holds ${dtype}`);
  }
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

/** The names that begin with `prefix`, without it. */
export const namesUnder = (tensors: ReadonlyMap<string, StoredTensor>, prefix: string): string[] =>
  [...tensors.keys()].flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));

/**
 * Counts the numbered children of `prefix`, 1 + the largest i of the names `${prefix}i.…`, and compares what the constructor says with what the weights hold: a count that is too small would leave layers out unnoticed.
 * @throws FormatError when they differ.
 */
export function checkCount(tensors: ReadonlyMap<string, StoredTensor>, prefix: string, expected: number, argument: string): void {
  const got = Math.max(
    0,
    ...namesUnder(tensors, prefix)
      .map((name) => Number.parseInt(name, 10) + 1)
      .filter(Number.isFinite),
  );
  if (got !== expected)
    throw new FormatError('weights', `"${prefix}" needs ${expected} children by the constructor's ${argument}; it has ${got}`);
}
