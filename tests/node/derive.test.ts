import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseDescription } from '../../src/format/format.js';
import { readSafetensors, type StoredTensor } from '../../src/format/safetensors.js';
import { deriveDescription as derive } from '../../src/interop/derive.js';
import { readActivation } from '../../src/interop/derive-options.js';
import { defaultSlope } from '../../src/interop/derive-zuko.js';
import { isWholeFlow } from '../../src/interop/whole-flow.js';
import { FormatError, type PushforwardError, UnsupportedError, ValueError } from '../../src/runtime/errors.js';

const golden = new URL('../golden/', import.meta.url);

interface Case {
  library: { name: string; version: string };
  class: string;
  constructor: Record<string, unknown>;
  [key: string]: unknown;
}

const readCase = (name: string) => JSON.parse(readFileSync(new URL(`${name}/case.json`, golden), 'utf8')) as Case;
const readWeights = (name: string) => readSafetensors(new Uint8Array(readFileSync(new URL(`${name}/weights.safetensors`, golden)))).tensors;

const cases = [
  'nflows-maf-d2',
  'nflows-maf-d5-random-masks',
  'nflows-maf-d6',
  'nflows-maf-d6-bn-within',
  'nflows-maf-d6-residual',
  'nflows-maf-d64-randperm',
  'nflows-maf-d64-reverse',
  'nflows-nice-d4',
  'nflows-realnvp-d6',
  'zuko-maf-context-d6',
  'zuko-maf-d1',
  'zuko-maf-d6',
  'zuko-nice-d6',
  'zuko-nsf-coupling-d4',
  'zuko-nsf-d6',
];

const deriveDescription = (...given: Parameters<typeof derive>) => parseDescription(derive(...given));

/** Only what importTorch needs for a whole-flow class. */
const wholeFlow = ({ library, class: name, constructor: options }: Case) => ({ library, class: name, constructor: options });

test("zuko's CNF", () => {
  const tensor = (shape: number[], values: number[]): StoredTensor => ({ dtype: 'F32', shape, data: Float32Array.from(values) });
  const weights = new Map<string, StoredTensor>([
    ['transform.times', tensor([2], [0, 1])],
    [
      'transform.freqs',
      tensor(
        [3],
        [1, 2, 3].map((k) => k * Math.PI),
      ),
    ],
    ['transform.ode.0.weight', tensor([4, 10], new Array(40).fill(0.1))],
    ['transform.ode.0.bias', tensor([4], [0, 0, 0, 0])],
    ['transform.ode.2.weight', tensor([2, 4], new Array(8).fill(0.1))],
    ['transform.ode.2.bias', tensor([2], [0, 0])],
    ['base.loc', tensor([2], [0, 0])],
    ['base.scale', tensor([2], [1, 1])],
  ]);
  const derive = (options: object) => deriveDescription({ class: 'zuko.flows.CNF', constructor: options }, weights);
  const net = { type: 'fourier_mlp', linears: ['transform.ode.0', 'transform.ode.2'], activation: 'elu', freqs: 'transform.freqs' };
  const op = { op: 'cnf', t_data: 0, t_noise: 1, times: 'transform.times' };
  expect(derive({ features: 2, context: 2, hidden_features: [4] })).toMatchObject({
    features: 2,
    context_features: 2,
    structure: [{ ...op, net: { ...net, context_concat: true }, divergence: { type: 'exact' } }],
  });
  expect(derive({ features: 2, context: 2, hidden_features: [4], exact: false, activation: 'Tanh', rtol: 1e-3 })).toMatchObject({
    structure: [{ ...op, net: { ...net, activation: 'tanh' }, divergence: { type: 'gaussian', probes: 1 } }],
  });
  expect(() => derive({ features: 2, hidden_features: [4, 4] })).toThrow('"transform.ode." needs 5 children');
  weights.delete('transform.times');
  expect(() => derive({ features: 2, hidden_features: [4] })).toThrow('need a tensor "transform.times"');
});

describe('golden cases', () => {
  test.each(cases)('%s: the derived description is the one written down', (name) => {
    const written = readCase(name);
    const { features, context_features, event_shape, base, structure_direction, structure } = written;
    expect(deriveDescription(wholeFlow(written), readWeights(name))).toEqual({
      version: 1,
      features,
      context_features,
      event_shape,
      base,
      structure_direction,
      structure,
    });
  });

  test.each(cases)('%s: the short class name with the library, and the full path without', (name) => {
    const written = readCase(name);
    const tensors = readWeights(name);
    const { library, class: path, constructor: options } = written;
    const derived = deriveDescription(wholeFlow(written), tensors);
    const short = path.slice(path.lastIndexOf('.') + 1);
    expect(deriveDescription({ library, class: short, constructor: options }, tensors)).toEqual(derived);
    expect(deriveDescription({ library: library.name, class: short, constructor: options }, tensors)).toEqual(derived);
    expect(deriveDescription({ class: path, constructor: options }, tensors)).toEqual(derived);
  });

  test('RealNVP is NICE under another name', () => {
    const written = wholeFlow(readCase('zuko-nice-d6'));
    const tensors = readWeights('zuko-nice-d6');
    expect(deriveDescription({ ...written, class: 'zuko.flows.RealNVP' }, tensors)).toEqual(deriveDescription(written, tensors));
  });

  test('an explicit context that agrees with the weights is taken', () => {
    const { use_context: _, ...options } = readCase('zuko-maf-context-d6').constructor;
    const description = { class: 'zuko.flows.MAF', constructor: { ...options, context: 3 } };
    expect(deriveDescription(description, readWeights('zuko-maf-context-d6')).context_features).toBe(3);
  });
});

test('zuko with one feature and no context has parameters of its own in place of a net', () => {
  const zeros = (shape: number[]): StoredTensor => ({ dtype: 'F32', shape, data: new Float32Array(shape[0]! * shape[1]!) });
  const phi = [0, 1, 2].map((index) => `transform.transforms.0.phi.${index}`);
  const tensors = new Map(phi.map((name, index) => [name, zeros([1, index < 2 ? 8 : 7])]));
  const derived = deriveDescription({ class: 'zuko.flows.NSF', constructor: { features: 1, transforms: 1 } }, tensors);
  expect(derived.context_features).toBe(0);
  expect(derived.structure).toEqual([
    { op: 'zuko_elementwise', phi, form: 'rqs', spline: { type: 'zuko', bins: 8, bound: 5, slope: 1e-3 } },
  ]);
});

test.each([
  [undefined, 1e-3],
  ['0.3.2', 1e-3],
  ['1.0.0', 1e-3],
  ['1.0.1', 1e-4],
  ['1.3.1', 1e-4],
  ['1.4.1', 1e-4],
  ['1.5.0', 1e-3],
  ['1.6.0', 1e-3],
  ['2.0.0', 1e-3],
])('zuko %s has slope %f', (version, slope) => {
  expect(defaultSlope(version)).toBe(slope);
  const library = version === undefined ? 'zuko' : { name: 'zuko', version };
  const { structure } = deriveDescription({ ...wholeFlow(readCase('zuko-maf-d6')), library }, readWeights('zuko-maf-d6'));
  expect(structure[0]).toMatchObject({ slope });
});

test.each([
  ['relu', 'relu'],
  ['ReLU', 'relu'],
  ['torch.nn.functional.relu', 'relu'],
  ['torch.nn.ReLU()', 'relu'],
  ['<function relu at 0x7f00a1>', 'relu'],
  ["<class 'torch.nn.modules.activation.ReLU'>", 'relu'],
  ['<built-in method tanh of type object at 0x7f00a1>', 'tanh'],
  ['LeakyReLU', 'leaky_relu'],
  ['F.leaky_relu', 'leaky_relu'],
  ['nn.SiLU', 'silu'],
  ['Identity', 'identity'],
])('%s is %s', (spelling, activation) => {
  expect(readActivation(spelling)).toBe(activation);
});

test.each(['LeakyReLU(negative_slope=0.2)', 'PReLU', 'LogSigmoid', 'torch.nn.ReLU6', ''])('%j is no activation known here', (spelling) => {
  expect(() => readActivation(spelling)).toThrow(UnsupportedError);
});

test('a structure wins over a constructor, and an inherited constructor does not count', () => {
  const written = readCase('zuko-maf-d6');
  expect(isWholeFlow(written)).toBe(false);
  expect(isWholeFlow(wholeFlow(written))).toBe(true);
  expect(isWholeFlow({ class: 'zuko.flows.MAF' })).toBe(false);
});

describe('what cannot be derived says why', () => {
  function errorOf(name: string, change: (description: Case, tensors: Map<string, StoredTensor>) => void): PushforwardError {
    const description = wholeFlow(readCase(name)) as Case;
    const tensors = readWeights(name);
    change(description, tensors);
    try {
      deriveDescription(description, tensors);
    } catch (error) {
      return error as PushforwardError;
    }
    throw new Error('the description was derived');
  }

  const net = '"_transform._transforms.1.autoregressive_net.blocks.';
  const keys =
    'features, hidden_features, num_layers, num_blocks_per_layer, activation, dropout_probability, batch_norm_within_layers, ' +
    'batch_norm_between_layers, use_residual_blocks, use_random_masks, use_random_permutations';

  const arguments_: [case_: string, key: string, value: unknown, kind: unknown, message: string][] = [
    ['nflows-maf-d2', 'layers', 3, ValueError, `description.constructor needs its keys among ${keys}; got layers`],
    ['nflows-maf-d2', 'num_layers', undefined, ValueError, 'description.constructor.num_layers needs an integer ≥ 1; got nothing'],
    ['nflows-maf-d2', 'num_layers', '5', ValueError, 'description.constructor.num_layers needs an integer ≥ 1; got "5"'],
    ['nflows-maf-d2', 'use_random_masks', 1, ValueError, 'description.constructor.use_random_masks needs true or false; got 1'],
    [
      'nflows-maf-d2',
      'activation',
      'torch.nn.Mish',
      UnsupportedError,
      'description.constructor.activation: "torch.nn.Mish" is not supported; known: relu, tanh, elu, sigmoid, leaky_relu, silu, softplus, identity',
    ],
    [
      'nflows-maf-d5-random-masks',
      'use_residual_blocks',
      true,
      ValueError,
      'description.constructor.use_random_masks needs use_residual_blocks to be false; got true',
    ],
    [
      'nflows-maf-d2',
      'num_layers',
      4,
      FormatError,
      'weights: "_transform._transforms." needs 8 children by the constructor\'s num_layers; it has 10',
    ],
    [
      'nflows-maf-d2',
      'num_layers',
      6,
      FormatError,
      'weights: need a tensor "_transform._transforms.10._permutation", which the constructor\'s flow has; there is none',
    ],
    [
      'nflows-maf-d2',
      'num_blocks_per_layer',
      1,
      FormatError,
      `weights: ${net}" needs 1 children by the constructor's num_blocks_per_layer; it has 2`,
    ],
    [
      'nflows-maf-d2',
      'use_residual_blocks',
      true,
      FormatError,
      `weights: ${net}0." and the constructor's use_residual_blocks true disagree`,
    ],
    [
      'nflows-maf-d6-bn-within',
      'batch_norm_within_layers',
      false,
      FormatError,
      `weights: ${net}0." and the constructor's batch_norm_within_layers false disagree`,
    ],
    ['nflows-maf-d2', 'features', 3, FormatError, 'description.structure[0].perm: needs each of 0 to 2 once; got [1,0]'],
    [
      'zuko-maf-d6',
      'residual',
      true,
      FormatError,
      'weights: need a tensor "transform.transforms.0.hyper.1.0.weight", which the constructor\'s flow has; there is none',
    ],
    ['zuko-nice-d6', 'normalize', true, UnsupportedError, 'description.constructor.normalize: true is not supported; known: false'],
    [
      'zuko-maf-d6',
      'transforms',
      3,
      FormatError,
      'weights: "transform.transforms." needs 3 children by the constructor\'s transforms; it has 4',
    ],
    [
      'zuko-maf-d6',
      'hidden_features',
      [64],
      FormatError,
      'weights: "transform.transforms.0.hyper." needs 3 children by the constructor\'s hidden_features; it has 5',
    ],
    [
      'zuko-maf-d6',
      'hidden_features',
      [64, 32],
      FormatError,
      'weights: "transform.transforms.0.hyper.2.weight" needs 32 rows by hidden_features; it has 64',
    ],
    ['zuko-maf-context-d6', 'context', 2, FormatError, 'weights: the nets read 3 context features; the constructor says otherwise'],
  ];
  test.each(arguments_)('%s with %s %j', (case_, key, value, kind, message) => {
    const error = errorOf(case_, (description) => {
      if (value === undefined) delete description.constructor[key];
      else description.constructor[key] = value;
    });
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toBe(message);
  });

  const mademog = (options: object) => ({
    class: 'nflows.distributions.mixture.MADEMoG',
    constructor: { features: 2, hidden_features: 4, num_blocks: 0, ...options },
  });

  test('a MADEMoG whose weights read another context, or with random masks in residual blocks', () => {
    expect(() => deriveDescription(mademog({ context_features: 1 }), new Map())).toThrow(
      "weights: the net reads 0 context features; the constructor's context_features says 1",
    );
    expect(() => deriveDescription(mademog({ num_blocks: 2 }), new Map())).toThrow(
      'weights: "_made.blocks." needs 2 children by the constructor\'s num_blocks; it has 0',
    );
    expect(() => deriveDescription(mademog({ random_mask: true }), new Map())).toThrow(
      'description.constructor.random_mask needs use_residual_blocks to be false; got true',
    );
    expect(deriveDescription(mademog({}), new Map()).structure).toMatchObject([{ op: 'ar_mixture', components: 1, eps: 0.01 }]);
  });

  test('an unknown class', () => {
    const error = errorOf('zuko-maf-d6', (description) => {
      description.class = 'zuko.flows.NAF';
    });
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(/^description\.class: "zuko\.flows\.NAF" of library "zuko" is not supported; known: nflows\./);
  });

  test('a class of another library', () => {
    const error = errorOf('zuko-maf-d6', ({ library }) => {
      library.name = 'nflows';
    });
    expect(error.message).toBe('description.class: "zuko.flows.MAF" is not a class of library "nflows"');
  });

  test('a constructor that is no object', () => {
    const description = { class: 'zuko.flows.MAF', constructor: [] };
    expect(() => deriveDescription(description, new Map())).toThrow('description.constructor: needs an object of constructor arguments');
  });

  test('a base that is not the standard normal', () => {
    const error = errorOf('zuko-maf-d6', (_, tensors) => {
      (tensors.get('base.scale')!.data as Float32Array)[2] = 2;
    });
    expect(error.message).toBe('weights: a base distribution with "base.scale" other than 1 is not supported');
  });
});
