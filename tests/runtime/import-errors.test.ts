// importTorch and loadFlow with everything that can be wrong: one error each, and nothing left on the device.

import { beforeAll, describe, expect, test } from 'vitest';
import { descriptionFromMetadata } from '../../src/format/format.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/format/safetensors.js';
import { DisposedError, FormatError, Gpu, importTorch, loadFlow, maf, UnsupportedError, ValueError } from '../../src/index.js';
import { numbered } from '../support/buffers.js';
import { expectError } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';

const context = useGpu();
let saved: Uint8Array;
let description: Record<string, unknown>;
beforeAll(async () => {
  const flow = await maf(context.gpu, { dim: 2, layers: 1, hidden: [4], contextDim: 3, seed: 1 });
  saved = await flow.save();
  flow.dispose();
  description = { ...descriptionFromMetadata(readSafetensors(saved).metadata) };
});

/** The saved file after `change`. */
function changed(change: (tensors: Map<string, StoredTensor>) => void): Uint8Array {
  const { tensors, metadata } = readSafetensors(saved.slice());
  change(tensors);
  return writeSafetensors(tensors, metadata);
}

/** The saved description after `change`. */
function described(change: (given: Record<string, unknown>, op: Record<string, unknown>) => void): Record<string, unknown> {
  const copy = structuredClone(description);
  change(copy, (copy.structure as Record<string, unknown>[])[0]!);
  return copy;
}

const tensor = (shape: number[], data: Float32Array): StoredTensor => ({ dtype: 'F32', shape, data });
const floats = (tensors: Map<string, StoredTensor>, name: string) => tensors.get(name)!.data as Float32Array;
const W0 = 'layers.0.net.0.weight';
const OP = 'description.structure[0] (ar_affine)';

async function refuses(
  given: unknown,
  weights: unknown,
  type: typeof FormatError | typeof UnsupportedError | typeof ValueError,
  sentence: string | RegExp,
): Promise<void> {
  const { gpu } = context;
  const { usage } = gpu.memory;
  const { size } = gpu.pipelines;
  const code = type === FormatError ? 'E_FORMAT' : type === ValueError ? 'E_VALUE' : 'E_UNSUPPORTED';
  await expectError(() => importTorch(gpu, given as object, weights as Uint8Array), type, code, sentence);
  expect(gpu.memory.usage).toEqual(usage);
  expect(gpu.pipelines.size).toBe(size);
}

test('the file and description that all the others differ from are good', async () => {
  const flow = await importTorch(context.gpu, description, saved);
  expect(await flow.logProb(numbered(4), { context: numbered(3) })).toHaveLength(2);
  flow.dispose();
});

describe('weights', () => {
  const cases: [name: string, weights: () => unknown, sentence: string | RegExp][] = [
    [
      'truncated',
      () => saved.subarray(0, saved.length - 5),
      /^safetensors tensor ".*": data_offsets end at \d+; the data section has \d+ bytes$/,
    ],
    ['truncated within the header', () => saved.subarray(0, 100), /^safetensors: the header length says \d+ bytes; only 92 follow it$/],
    ['empty', () => new ArrayBuffer(0), 'safetensors: a file needs at least 8 bytes; got 0'],
    ['no bytes', () => 'weights', 'safetensors: a file needs an ArrayBuffer or a Uint8Array; got string'],
    ['none', () => undefined, 'safetensors: a file needs an ArrayBuffer or a Uint8Array; got undefined'],
    ['null', () => null, 'safetensors: a file needs an ArrayBuffer or a Uint8Array; got null'],
    [
      'a surplus tensor',
      () => changed((tensors) => tensors.set('extra.weight', tensor([2], numbered(2)))),
      'extra.weight: F32 tensor [2] is in the file, and nothing in the description reads it',
    ],
    [
      'a missing tensor',
      () => changed((tensors) => tensors.delete(W0)),
      `${OP}: ${W0}: is named by the description and missing from the file`,
    ],
    [
      'a wrong shape',
      () => changed((tensors) => tensors.set(W0, tensor([4, 3], numbered(12)))),
      `${OP}: ${W0}: needs shape [4, 2]; got [4, 3]`,
    ],
    ['a wrong rank', () => changed((tensors) => tensors.set(W0, tensor([8], numbered(8)))), `${OP}: ${W0}: needs shape [8, 2]; got [8]`],
    [
      'a wrong dtype',
      () => changed((tensors) => tensors.set(W0, { dtype: 'F64', shape: [4, 2], data: new Float64Array(8) })),
      `${OP}: ${W0}: needs dtype F32; got F64`,
    ],
    [
      'a NaN',
      () =>
        changed((tensors) => {
          floats(tensors, W0)[3] = Number.NaN;
        }),
      `${OP}: ${W0}: needs finite numbers; got NaN at 3`,
    ],
    [
      'an infinity',
      () =>
        changed((tensors) => {
          floats(tensors, 'layers.0.net.1.bias')[0] = Number.NEGATIVE_INFINITY;
        }),
      `${OP}: layers.0.net.1.bias: needs finite numbers; got -Infinity at 0`,
    ],
    [
      'a mask that is not of zeros and ones',
      () =>
        changed((tensors) => {
          floats(tensors, 'layers.0.net.0.mask')[1] = 0.5;
        }),
      `${OP}: layers.0.net.0.mask: a mask holds zeros and ones; got 0.5 at 1`,
    ],
    [
      'a mask of a wrong dtype',
      () => changed((tensors) => tensors.set('layers.0.net.0.mask', { dtype: 'I32', shape: [4, 2], data: new Int32Array(8) })),
      `${OP}: layers.0.net.0.mask: a mask needs dtype F32 or BOOL; got I32`,
    ],
    [
      'a mask of a wrong shape',
      () => changed((tensors) => tensors.set('layers.0.net.0.mask', tensor([2, 4], new Float32Array(8)))),
      `${OP}: layers.0.net.0.mask: needs shape [4, 2]; got [2, 4]`,
    ],
    [
      'a last layer of a wrong width',
      () =>
        changed((tensors) => {
          tensors.set('layers.0.net.1.weight', tensor([6, 4], new Float32Array(24)));
          tensors.set('layers.0.net.1.bias', tensor([6], new Float32Array(6)));
          tensors.set('layers.0.net.1.mask', tensor([6, 4], new Float32Array(24)));
        }),
      `description.structure[0]: the last layer of the net needs 4 outputs; got 6`,
    ],
  ];

  test.each(cases)('%s', async (_, weights, sentence) => {
    await refuses(description, weights(), FormatError, sentence);
  });

  test('masks that are not autoregressive', async () => {
    const weights = changed((tensors) => {
      for (const name of ['layers.0.net.0.mask', 'layers.0.net.1.mask']) floats(tensors, name).fill(1);
    });
    const sentence = 'masked-autoregressive: a set of masks by which a feature depends on itself, or two on each other, is not supported';
    await refuses(description, weights, UnsupportedError, sentence);
  });

  test('no masks at all', async () => {
    const weights = changed((tensors) => {
      for (const name of ['layers.0.net.0.mask', 'layers.0.net.1.mask']) tensors.delete(name);
    });
    await refuses(description, weights, UnsupportedError, /a feature depends on itself/);
  });
});

describe('a description', () => {
  const format: [name: string, given: () => unknown, sentence: string | RegExp][] = [
    ['that is null', () => null, /^description: needs an object; got null$/],
    ['that is undefined', () => undefined, /^description: needs an object; got undefined$/],
    ['that is a string', () => 'maf', /^description: needs an object; got "maf"$/],
    ['that is a list', () => [], /^description: needs an object; got \[\]$/],
    ['that is empty', () => ({}), /^description\.features: needs an integer ≥ 1; it is missing$/],
    [
      'whose ops are no list',
      () => described((given) => Object.assign(given, { structure: {} })),
      /^description\.structure: needs a list; got {}/,
    ],
    [
      'whose net reads a context that there is none of',
      () => described((given) => Object.assign(given, { context_features: 0 })),
      /reads a context; the description has context_features 0$/,
    ],
    [
      'of another number of features than the tensors',
      () => described((given) => Object.assign(given, { features: 3, event_shape: [3] })),
      `${OP}: ${W0}: needs shape [4, 3]; got [4, 2]`,
    ],
  ];
  test.each(format)('%s', async (_, given, sentence) => {
    await refuses(given(), saved, FormatError, sentence);
  });

  const unknown: [name: string, given: () => unknown, sentence: RegExp][] = [
    [
      'op',
      () => described((_, op) => Object.assign(op, { op: 'warp' })),
      /^description\.structure\[0\]\.op: "warp" is not supported; known: /,
    ],
    [
      'form',
      () => described((_, op) => Object.assign(op, { form: 'cube' })),
      /^description\.structure\[0\]\.form: "cube" is not supported; known: /,
    ],
    [
      'net',
      () => described((_, op) => Object.assign(op, { net: { type: 'transformer' } })),
      /^description\.structure\[0\]\.net\.type: "transformer" is not supported; known: /,
    ],
    [
      'activation',
      () => described((_, op) => Object.assign(op.net as object, { activation: 'sine' })),
      /^description\.structure\[0\]\.net\.activation: "sine" is not supported; known: /,
    ],
    [
      'base',
      () => described((given) => Object.assign(given, { base: { type: 'cauchy' } })),
      /^description\.base\.type: "cauchy" is not supported; known: /,
    ],
    [
      'direction',
      () => described((given) => Object.assign(given, { structure_direction: 'sideways' })),
      /^description\.structure_direction: "sideways" is not supported; known: /,
    ],
    [
      'class',
      () => ({ library: 'nflows', class: 'nflows.flows.Nonsense', constructor: {} }),
      /^description\.class: "nflows\.flows\.Nonsense" of library "nflows" is not supported; known: /,
    ],
  ];
  test.each(unknown)('of an unknown %s', async (_, given, sentence) => {
    await refuses(given(), saved, UnsupportedError, sentence);
  });

  test('by constructor, with an argument that is unknown or not there', async () => {
    const nflows = (options: object) => ({ library: 'nflows', class: 'nflows.flows.MaskedAutoregressiveFlow', constructor: options });
    await refuses(nflows({ features: 2, hidden: 4 }), saved, ValueError, /hidden/);
    await refuses(nflows({}), saved, ValueError, /features/);
    await refuses(
      nflows({ features: 2, hidden_features: 4, num_layers: 1, num_blocks_per_layer: 1 }),
      saved,
      FormatError,
      /layers|transform|missing/,
    );
  });
});

test('loadFlow of a file that no flow saved', async () => {
  const { gpu } = context;
  const { usage } = gpu.memory;
  const plain = writeSafetensors(readSafetensors(saved.slice()).tensors, { format: 'pt' });
  const noFlow = '__metadata__: needs the key "flow" with the flow\'s description; weights alone need importTorch';
  await expectError(() => loadFlow(gpu, plain), FormatError, 'E_FORMAT', noFlow);
  await expectError(() => loadFlow(gpu, saved.subarray(0, 40)), FormatError, 'E_FORMAT', /header/);
  const damaged = writeSafetensors(readSafetensors(saved.slice()).tensors, { flow: '{' });
  await expectError(() => loadFlow(gpu, damaged), FormatError, 'E_FORMAT', '__metadata__.flow: is not valid JSON');
  expect(gpu.memory.usage).toEqual(usage);
});

test('on a Gpu that was disposed', async () => {
  const gpu = Gpu.from(context.gpu.device);
  gpu.dispose();
  const sentence = 'this Gpu was disposed; request another one';
  await expectError(() => importTorch(gpu, description, saved), DisposedError, 'E_DISPOSED', sentence);
  await expectError(() => loadFlow(gpu, saved), DisposedError, 'E_DISPOSED', sentence);
});
