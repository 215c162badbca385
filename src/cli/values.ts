// Values of options: read as numbers and lists, and refused by the name of the option.

import type { Typed } from './options.js';
import { UsageError } from './usage.js';

interface Range {
  readonly least: number;
  readonly most?: number;
}

const NUMBER = /^\d+(\.\d*)?(e[+-]?\d+)?$|^\.\d+(e[+-]?\d+)?$/i;

export function textOf({ values }: Typed, option: string): string | undefined {
  const text = values[option];
  if (text === '') throw new UsageError(`--${option} needs a value; got none`);
  return text;
}

export const flagOf = ({ values }: Typed, option: string): boolean => Object.hasOwn(values, option);

function integer(option: string, text: string, { least, most = Number.MAX_SAFE_INTEGER }: Range): number {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${least}` : `a whole number from ${least} to ${most}`;
  throw new UsageError(`--${option} needs ${range}; got ${text}`);
}

export function integerOf(typed: Typed, option: string, range: Range): number | undefined {
  const text = textOf(typed, option);
  return text === undefined ? undefined : integer(option, text, range);
}

/** @param holds says whether a number will do, and `expected` which ones do. */
export function numberOf(typed: Typed, option: string, expected: string, holds: (value: number) => boolean): number | undefined {
  const text = textOf(typed, option);
  if (text === undefined) return undefined;
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value) || !holds(value)) throw new UsageError(`--${option} needs ${expected}; got ${text}`);
  return value;
}

export function integersOf(typed: Typed, option: string, range: Range): number[] | undefined {
  return textOf(typed, option)
    ?.split(',')
    .map((part) => integer(option, part, range));
}

/** Names between commas. */
export function namesOf(typed: Typed, option: string): string[] | undefined {
  const names = textOf(typed, option)
    ?.split(',')
    .map((name) => name.trim());
  if (names?.includes('')) throw new UsageError(`--${option} needs names between commas; got ${typed.values[option]}`);
  return names;
}

export function oneOf<T extends string>(typed: Typed, option: string, known: readonly T[]): T | undefined {
  const text = textOf(typed, option);
  if (text === undefined || known.includes(text as T)) return text as T | undefined;
  throw new UsageError(`--${option} takes ${known.slice(0, -1).join(', ')} or ${known.at(-1)}; got ${text}`);
}

/** As many files as the command takes. @param names what they are. */
export function filesOf({ files }: Typed, command: string, names: readonly string[]): string[] {
  if (files.length === names.length) return [...files];
  const got = files.length === 0 ? 'none' : files.join(' ');
  throw new UsageError(`${command} needs ${names.join(' and ')}; got ${got} (\`pushforward ${command} --help\`)`);
}
