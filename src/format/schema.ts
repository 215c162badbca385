// A validator for the part of JSON Schema (draft 2020-12) that flow-schema.ts uses. A `oneOf` is always told apart by one
// key whose `const` differs in every branch, so an error is about the branch that was meant and never about all of them.

import { FormatError, UnsupportedError } from '../runtime/errors.js';
import { isObject } from './safetensors.js';

type TypeName = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';

/** The keywords understood. Others (`title`, `description`, …) say nothing to the validator. */
export interface Schema {
  readonly type?: TypeName | readonly TypeName[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly oneOf?: readonly Schema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const words: Record<TypeName, string> = {
  object: 'an object',
  array: 'a list',
  string: 'a string',
  number: 'a number',
  integer: 'an integer',
  boolean: 'true or false',
  null: 'null',
};

const isType: Record<TypeName, (value: unknown) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: Number.isFinite,
  integer: Number.isSafeInteger,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

const typesOf = (schema: Schema): readonly TypeName[] => (schema.type === undefined ? [] : ([schema.type].flat() as TypeName[]));

/** The values a schema lists, from `enum` or `const`. */
const listed = (schema: Schema): readonly unknown[] => schema.enum ?? ('const' in schema ? [schema.const] : []);

/** The value as a short text for a sentence. */
function show(value: unknown): string {
  if (typeof value === 'function' || typeof value === 'bigint') return `a ${typeof value}`;
  if (typeof value === 'number') return String(value); // JSON would make null of NaN
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function expected(schema: Schema): string {
  const values = listed(schema);
  if (values.length > 0) return `${values.length > 1 ? 'one of ' : ''}${values.map(show).join(', ')}`;
  const from = schema.minimum === undefined ? '' : ` ≥ ${schema.minimum}`;
  const filled = schema.minItems === undefined ? '' : ` of at least ${schema.minItems}`;
  return typesOf(schema)
    .map((type) => words[type] + (type === 'array' ? filled : type === 'null' ? '' : from))
    .join(' or ');
}

/** The key that tells the branches apart: the one with a `const` in the first branch. */
function discriminator(branches: readonly Schema[]): string {
  return Object.entries(branches[0]!.properties!).find(([, schema]) => 'const' in schema)![0];
}

/** What `key` may be in the branches. */
const constants = (schema: Schema, key: string): unknown[] => (schema.oneOf ?? []).map(({ properties }) => properties?.[key]?.const);

const resolve = (schema: Schema, root: Schema): Schema =>
  schema.$ref === undefined ? schema : root.$defs![schema.$ref.slice('#/$defs/'.length)]!;

/**
 * Checks `value` against `schema`; `path` names the value in errors and `root` holds the `$defs`.
 * @throws FormatError where the value has a wrong type, misses a key or is too small, e.g.
 *   `description.structure[3].net.blocks: needs an integer ≥ 0; got "two"`.
 * @throws UnsupportedError where the type is right but the value is not among those listed (an op, net or activation not known).
 */
export function validate(schema: Schema, value: unknown, path: string, root: Schema = schema): void {
  schema = resolve(schema, root);
  const wrong = () => new FormatError(path, `needs ${expected(schema)}; got ${show(value)}`);
  const types = typesOf(schema);
  if (types.length > 0 && !types.some((type) => isType[type](value))) throw wrong();
  if (schema.minimum !== undefined && typeof value === 'number' && value < schema.minimum) throw wrong();
  const values = listed(schema);
  if (values.length > 0 && !values.includes(value)) {
    if (typeof value !== typeof values[0]) throw wrong();
    throw new UnsupportedError(path, show(value), values.map(show));
  }
  if (Array.isArray(value)) {
    if (schema.minItems !== undefined && value.length < schema.minItems) throw wrong();
    if (schema.items) for (const [index, item] of value.entries()) validate(schema.items, item, `${path}[${index}]`, root);
  } else if (isObject(value)) {
    validateObject(schema, value, path, root);
  }
}

function validateObject(schema: Schema, value: Record<string, unknown>, path: string, root: Schema): void {
  const has = (key: string) => Object.hasOwn(value, key) && value[key] !== undefined;
  for (const key of schema.required ?? []) {
    if (has(key)) continue;
    const property = schema.properties?.[key] ?? { enum: constants(schema, key) };
    throw new FormatError(`${path}.${key}`, `needs ${expected(resolve(property, root))}; it is missing`);
  }
  if (schema.oneOf) {
    const key = discriminator(schema.oneOf);
    const branch = schema.oneOf[constants(schema, key).indexOf(value[key])];
    if (branch) validateObject(branch, value, path, root);
    // No branch is meant by this value: a list of those that would be words the error.
    else validate({ enum: constants(schema, key) }, value[key], `${path}.${key}`, root);
  }
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (has(key)) validate(property, value[key], `${path}.${key}`, root);
  }
}
