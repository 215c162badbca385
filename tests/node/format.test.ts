import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { descriptionFromMetadata, flowFormatSchema, metadataFor, parseDescription } from '../../src/format/format.js';
import { type Schema, validate } from '../../src/format/schema.js';
import { FormatError, type PushforwardError, UnsupportedError } from '../../src/runtime/errors.js';

const golden = new URL('../golden/', import.meta.url);
const docs = new URL('../../docs/', import.meta.url);
const cases = JSON.parse(readFileSync(new URL('index.json', golden), 'utf8')) as string[];
const readCase = (name: string) => JSON.parse(readFileSync(new URL(`${name}/case.json`, golden), 'utf8'));

type Json = Record<string, unknown>;
type Description = Json & { structure: Json[] };

/** A sound description of two features that uses one of most things. */
const sound = () => ({
  features: 2,
  context_features: 1,
  base: { type: 'standard_normal' },
  structure_direction: 'density',
  structure: [
    { op: 'permute', perm: [1, 0] },
    {
      op: 'ar_affine',
      form: 'softplus',
      eps: 1e-3,
      layout: 'interleaved',
      net: { type: 'nflows_made', prefix: 'a', blocks: 2, residual: true, activation: 'relu', batch_norm: false, context: true },
    },
    { op: 'batchnorm', mean: 'm', var: 'v', eps: 1e-5, gamma: null, beta: null },
    {
      op: 'coupling_affine',
      form: 'additive',
      identity: [0],
      transform: [1],
      net: { type: 'nflows_resnet', prefix: 'c', blocks: 1, activation: 'tanh', batch_norm: false, context: false },
    },
  ] as Json[],
});

/** Puts `value` at a path such as 'structure.1.net.blocks' of the sound description; undefined takes the key away. */
function changed(path: string, value: unknown): Description {
  const description: Description = sound();
  const keys = path.split('.');
  const last = keys.pop()!;
  const holder = keys.reduce<Json>((object, key) => object[key] as Json, description);
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return description;
}

function errorOf(description: unknown): PushforwardError {
  try {
    parseDescription(description);
  } catch (error) {
    return error as PushforwardError;
  }
  throw new Error('the description was taken');
}

describe('golden descriptions', () => {
  test.each(cases)('%s passes', (name) => {
    const written = readCase(name);
    const { features, context_features, event_shape, base, structure_direction, structure } = written;
    expect(parseDescription(written)).toEqual({
      version: 1,
      features,
      context_features,
      event_shape,
      base,
      structure_direction,
      structure,
    });
  });
});

test('what may be left out is filled in', () => {
  const { context_features: _, ...rest } = sound();
  rest.structure.splice(1, 1);
  const parsed = parseDescription(rest);
  expect(parsed).toMatchObject({ version: 1, context_features: 0, event_shape: [2] });
  expect(parseDescription(parsed)).toEqual(parsed);
});

test('the result shares nothing with the description', () => {
  const description = sound();
  const parsed = parseDescription(description);
  (description.structure[0]!.perm as number[])[0] = 7;
  expect(parsed.structure[0]).toMatchObject({ perm: [1, 0] });
});

test('metadata holds the description and gives it back', () => {
  const parsed = parseDescription(sound());
  expect(metadataFor(parsed).format).toBe('pt');
  expect(descriptionFromMetadata(metadataFor(parsed))).toEqual(parsed);
  const missing = '__metadata__: needs the key "flow" with the flow\'s description; weights alone need importTorch';
  expect(() => descriptionFromMetadata({ format: 'pt' })).toThrow(missing);
  expect(() => descriptionFromMetadata({ flow: '{' })).toThrow('__metadata__.flow: is not valid JSON');
});

describe('malformed descriptions', () => {
  const malformed: [name: string, path: string, value: unknown, sentence: string][] = [
    ['blocks in words', 'structure.1.net.blocks', 'two', 'description.structure[1].net.blocks: needs an integer ≥ 0; got "two"'],
    ['blocks below 0', 'structure.1.net.blocks', -1, 'description.structure[1].net.blocks: needs an integer ≥ 0; got -1'],
    ['half a block', 'structure.1.net.blocks', 1.5, 'description.structure[1].net.blocks: needs an integer ≥ 0; got 1.5'],
    ['no prefix', 'structure.1.net.prefix', undefined, 'description.structure[1].net.prefix: needs a string; it is missing'],
    ['no blocks', 'structure.1.net.blocks', undefined, 'description.structure[1].net.blocks: needs an integer ≥ 0; it is missing'],
    [
      'no form',
      'structure.1.form',
      undefined,
      'description.structure[1].form: needs one of "mu_s", "sigmoid2", "softplus_clamp3", "softplus", "exp", "tanh", "clamp", "softclip"; it is missing',
    ],
    ['no net', 'structure.1.net', undefined, 'description.structure[1].net: needs an object; it is missing'],
    ['an op that is a number', 'structure.0', 3, 'description.structure[0]: needs an object; got 3'],
    ['softplus without eps', 'structure.1.eps', undefined, 'description.structure[1].eps: needs a number ≥ 0; it is missing'],
    ['eps NaN', 'structure.1.eps', Number.NaN, 'description.structure[1].eps: needs a number ≥ 0; got NaN'],
    ['a flag in words', 'structure.1.net.residual', 'yes', 'description.structure[1].net.residual: needs true or false; got "yes"'],
    ['a tensor name that is a number', 'structure.2.mean', 4, 'description.structure[2].mean: needs a string; got 4'],
    ['gamma that is a number', 'structure.2.gamma', 4, 'description.structure[2].gamma: needs a string or null; got 4'],
    [
      'gamma without its map',
      'structure.2.gamma',
      'g',
      'description.structure[2]: needs the key "gamma_map" to say how gamma becomes a scale',
    ],
    ['no features', 'features', undefined, 'description.features: needs an integer ≥ 1; it is missing'],
    ['no base', 'base', undefined, 'description.base: needs an object; it is missing'],
    ['no structure', 'structure', undefined, 'description.structure: needs a list; it is missing'],
    ['no feature', 'features', 0, 'description.features: needs an integer ≥ 1; got 0'],
    ['a structure that is no list', 'structure', {}, 'description.structure: needs a list; got {}'],
    [
      'an event shape of another size',
      'event_shape',
      [3, 1],
      'description.event_shape: needs a product of 2, the number of features; got [3,1]',
    ],
    ['a permutation with a repeat', 'structure.0.perm', [1, 1], 'description.structure[0].perm: needs each of 0 to 1 once; got [1,1]'],
    ['a permutation out of range', 'structure.0.perm', [1, 2], 'description.structure[0].perm: needs each of 0 to 1 once; got [1,2]'],
    ['a short permutation', 'structure.0.perm', [0], 'description.structure[0].perm: needs each of 0 to 1 once; got [0]'],
    [
      'a feature in neither half',
      'structure.3.transform',
      [0],
      'description.structure[3].identity and transform together: needs each of 0 to 1 once; got [0,0]',
    ],
    ['an order of another length', 'structure.1.order', [1, 2, 3], 'description.structure[1].order: needs 2 entries, one a feature; got 3'],
    [
      'a context that is not there',
      'context_features',
      0,
      'description.structure[1].net: reads a context; the description has context_features 0',
    ],
    ['a base without tensors', 'base.type', 'diag_normal', 'description.base: needs either levels or both loc and log_scale'],
    [
      'a form that is a number',
      'structure.1.form',
      1,
      'description.structure[1].form: needs one of "mu_s", "sigmoid2", "softplus_clamp3", "softplus", "exp", "tanh", "clamp", "softclip"; got 1',
    ],
  ];
  test.each(malformed)('%s', (_, path, value, sentence) => {
    const error = errorOf(changed(path, value));
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toBe(sentence);
  });

  test('an op without a name gives the list of ops', () => {
    expect(errorOf(changed('structure.0.op', undefined)).message).toMatch(
      /^description\.structure\[0\]\.op: needs one of "permute", .*"cnf".*; it is missing$/,
    );
  });

  test.each([[null], [3], ['flow'], [[]]])('%j is no description', (value) => {
    expect(errorOf(value).message).toBe(`description: needs an object; got ${JSON.stringify(value)}`);
  });
});

describe('what the format does not know', () => {
  const unknown: [path: string, value: unknown, sentence: RegExp][] = [
    ['structure.0.op', 'flip', /^description\.structure\[0\]\.op: "flip" is not supported; known: "permute", "batchnorm", .*"cnf".*"$/],
    ['structure.1.net.type', 'unet', /^description\.structure\[1\]\.net\.type: "unet" is not supported; known: .*"concat_mlp"$/],
    ['structure.1.net.activation', 'mish', /\.net\.activation: "mish" is not supported; known: "relu", .*"identity"$/],
    ['structure.1.form', 'square', /^description\.structure\[1\]\.form: "square" is not supported; known: "mu_s", .*"softclip"$/],
    ['structure.1.layout', 'halves', /^description\.structure\[1\]\.layout: "halves" is not supported; known: "chunk", "interleaved"$/],
    ['base.type', 'cauchy', /^description\.base\.type: "cauchy" is not supported; known: "standard_normal", /],
    ['version', 2, /^description\.version: 2 is not supported; known: 1$/],
    ['structure_direction', 'up', /^description\.structure_direction: "up" is not supported; known: "density", "generate"$/],
  ];
  test.each(unknown)('%s %j', (path, value, sentence) => {
    const error = errorOf(changed(path, value));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.code).toBe('E_UNSUPPORTED');
    expect(error.message).toMatch(sentence);
  });
});

describe('the schema', () => {
  const annotations = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'pushforward flow description, version 1',
    description: 'See docs/format.md. Keys that are not named here are ignored.',
  };
  const enforced = ['type', 'required', 'properties', 'items', 'minItems', 'minimum', 'enum', 'const', 'oneOf', '$ref', '$defs'];

  /** Calls `visit` on the schema and every schema inside it. */
  function walk(schema: Schema, visit: (schema: Schema) => void): void {
    visit(schema);
    const inner = [...Object.values(schema.properties ?? {}), ...Object.values(schema.$defs ?? {}), ...(schema.oneOf ?? [])];
    for (const part of schema.items ? [...inner, schema.items] : inner) walk(part, visit);
  }

  test('uses only keywords that the validator enforces, and references that exist', () => {
    walk(flowFormatSchema, (schema) => {
      for (const key of Object.keys(schema)) expect(enforced).toContain(key);
      if (schema.$ref) expect(Object.keys(flowFormatSchema.$defs!)).toContain(schema.$ref.replace('#/$defs/', ''));
    });
  });

  test('tells the branches of every oneOf apart by one required key', () => {
    walk(flowFormatSchema, ({ oneOf, required }) => {
      if (!oneOf) return;
      const keys = oneOf.map(({ properties }) => Object.entries(properties!).find(([, property]) => 'const' in property)![0]);
      const values = oneOf.map(({ properties }) => properties![keys[0]!]!.const);
      expect(new Set(keys).size).toBe(1);
      expect(new Set(values).size).toBe(values.length);
      expect(required).toContain(keys[0]);
    });
  });

  test('lies in docs/ too', async () => {
    const written = `${JSON.stringify({ ...annotations, ...flowFormatSchema }, null, 2)}\n`;
    await expect(written).toMatchFileSnapshot('../../docs/flow-format.schema.json');
  });

  test('has every op, net, spline and base written up in docs/format.md', () => {
    const text = readFileSync(new URL('format.md', docs), 'utf8');
    const parts = { op: 'op', net: 'type', spline: 'type', base: 'type' };
    for (const [definition, key] of Object.entries(parts)) {
      for (const { properties } of flowFormatSchema.$defs![definition]!.oneOf!) expect(text).toContain(`\`${properties![key]!.const}\``);
    }
  });
});

test('the validator takes undefined for absent', () => {
  const schema: Schema = { type: 'object', required: ['a'], properties: { a: { type: 'integer' }, b: { type: 'string' } } };
  expect(() => validate(schema, { a: 1, b: undefined }, 'x')).not.toThrow();
  expect(() => validate(schema, { a: undefined }, 'x')).toThrow('x.a: needs an integer; it is missing');
});
