// What is special about flows over images: layouts, masks, the data-dependent start of ActNorm, classes, and descriptions that do not fit.

import { describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { factorPLU, randomRotation } from '../../src/flows/recipes/glow.js';
import type { BaseDescription, OpDescription } from '../../src/format/description.js';
import { descriptionFromMetadata } from '../../src/format/format.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/format/safetensors.js';
import { type Flow, FormatError, glow, imageRealNVP, importTorch, ShapeError, UnsupportedError, ValueError } from '../../src/index.js';
import { useGpu } from '../support/gpu.js';
import { logAbsDeterminant } from '../support/linear-algebra.js';
import { perturbed } from '../support/perturbed.js';
import { freshSeed, Random } from '../support/random.js';
import { ReferenceFlow } from '../support/reference-flow.js';

const held = useGpu();
const random = new Random(freshSeed());
const note = `VITE_TEST_SEED=${random.seed}`;

type Tensors = Record<string, { shape: number[]; data: ArrayLike<number> }>;

/** Loads a description as an importer would. */
function load(
  event: readonly [number, number, number],
  structure: OpDescription[],
  tensors: Tensors = {},
  more: { base?: BaseDescription; context_features?: number } = {},
): Promise<Flow> {
  const stored = Object.entries(tensors).map(([name, { shape, data }]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape, data: Float32Array.from(data) },
  ]);
  const description = {
    features: event[0] * event[1] * event[2],
    event_shape: event,
    base: { type: 'standard_normal' },
    structure_direction: 'density',
    structure,
    ...more,
  };
  return importTorch(held.gpu, description, writeSafetensors(new Map(stored), {}));
}

/** A random network of one 3×3 convolution. */
const oneConv = (inputs: number, outputs: number, side = 3): Tensors => ({
  'net.weight': { shape: [outputs, inputs, side, side], data: random.normals(outputs * inputs * side * side, 0.5) },
  'net.bias': { shape: [outputs], data: random.normals(outputs) },
});
const net = { convs: ['net'], kernel: [3], leaky: 0 };

/** dz/dx of one row by central differences in float64, row-major [D, D]. */
function jacobian(flow: Flow, x: ArrayLike<number>, context?: Float32Array): Float64Array {
  const reference = new ReferenceFlow(flow as GpuFlow);
  const { dim } = flow;
  const points = new Float64Array(2 * dim * dim);
  for (let j = 0; j < 2 * dim; j++) {
    points.set(Float64Array.from(x), j * dim);
    points[j * dim + (j >> 1)]! += j % 2 === 0 ? 1e-6 : -1e-6;
  }
  const { z } = reference.forward(points, context);
  return Float64Array.from({ length: dim * dim }, (_, at) => {
    const [i, j] = [Math.floor(at / dim), at % dim];
    return (z[2 * j * dim + i]! - z[(2 * j + 1) * dim + i]!) / 2e-6;
  });
}

describe('layouts', () => {
  test('squeeze puts pixel (2 y + dy, 2 x + dx) of channel c at (y, x) of channel 4 c + 2 dy + dx', async () => {
    const [channels, height, width] = [3, 4, 6];
    const flow = await load([channels, height, width], [{ op: 'squeeze' }]);
    const x = Float32Array.from({ length: channels * height * width }, (_, i) => i);
    const { z } = await flow.forward(x);
    for (const [at, value] of z.entries()) {
      const [channel, y, column] = [Math.floor(at / 6), Math.floor(at / 3) % 2, at % 3];
      const [c, dy, dx] = [channel >> 2, (channel >> 1) & 1, channel & 1];
      expect(value).toBe((c * height + 2 * y + dy) * width + 2 * column + dx);
    }
    expect((await flow.inverse(z)).x).toEqual(x);
    const back = await load([channels, height, width], [{ op: 'squeeze' }, { op: 'unsqueeze' }]);
    expect((await back.forward(x)).z).toEqual(x);
  });

  test('z holds what remains first, and the first split last', async () => {
    const flow = await load(
      [1, 4, 4],
      [
        { op: 'squeeze' },
        { op: 'split_off', level: 1, latent_shape: [2, 2, 2] },
        { op: 'squeeze' },
        { op: 'final_latent', level: 0, latent_shape: [8, 1, 1] },
      ],
    );
    const x = Float32Array.from({ length: 16 }, (_, i) => i);
    const { z } = await flow.forward(x);
    // Channels 0 and 1 of the squeezed image are the even rows' even and odd columns; 2 and 3, the odd rows', are split off.
    expect([...z.subarray(0, 8)]).toEqual([0, 2, 8, 10, 1, 3, 9, 11]);
    expect([...z.subarray(8)]).toEqual([4, 6, 12, 14, 5, 7, 13, 15]);
    expect((await flow.inverse(z)).x).toEqual(x);
  });

  test('any op after a split acts on what goes on', async () => {
    const perm = [7, 6, 5, 4, 3, 2, 1, 0];
    const structure: OpDescription[] = [
      { op: 'squeeze' },
      { op: 'split_off', level: 1, latent_shape: [2, 2, 2] },
      { op: 'permute', perm },
      { op: 'final_latent', level: 0, latent_shape: [2, 2, 2] },
    ];
    const flow = await load([1, 4, 4], structure);
    const x = Float32Array.from({ length: 16 }, (_, i) => i);
    const { z } = await flow.forward(x);
    expect([...z]).toEqual([11, 9, 3, 1, 10, 8, 2, 0, 4, 6, 12, 14, 5, 7, 13, 15]);
    expect((await flow.inverse(z)).x).toEqual(x);
    flow.dispose();
  });

  test('an image whose log-det has many terms', async () => {
    const made = glow(held.gpu, { shape: [4, 16, 16], levels: 1, steps: 1, hidden: [3], seed: 9 });
    const flow = await perturbed(held.gpu, made, 0.05); // 512 terms: summed in parts
    const x = random.normals(5 * flow.dim);
    const [got, want] = [await flow.forward(x), new ReferenceFlow(flow as GpuFlow).forward(x)];
    for (const [row, value] of got.logDet.entries()) expect(Math.abs(value / want.logDet[row]! - 1), note).toBeLessThan(1e-6);
    for (const [at, value] of got.z.entries()) expect(Math.abs(value - want.z[at]!), note).toBeLessThan(1e-5);
    flow.dispose();
  });

  test('the log-det of a Glow with splits and priors is that of the numerical Jacobian', async () => {
    const flow = await perturbed(
      held.gpu,
      glow(held.gpu, { shape: [2, 4, 4], levels: 2, steps: 2, hidden: [6, 5], contextDim: 1, seed: 3 }),
      0.1,
    );
    const [x, context] = [random.normals(32), random.normals(1)];
    const [exact] = new ReferenceFlow(flow as GpuFlow).forward(x, context).logDet;
    expect(logAbsDeterminant(jacobian(flow, x, context), 32), note).toBeCloseTo(exact!, 4); // the matrices are float32
    flow.dispose();
  });
});

describe('couplings', () => {
  const [channels, height, width] = [3, 3, 4];
  const area = height * width;
  const passes = {
    last_channels: (f: number) => f < 2 * area, // of 3 channels the first two pass, as torch.chunk splits them
    first_channels: (f: number) => f >= 2 * area,
    odd_pixels: (f: number) => (Math.floor((f % area) / width) + (f % width)) % 2 === 0,
    even_pixels: (f: number) => (Math.floor((f % area) / width) + (f % width)) % 2 === 1,
  } as const;

  test.each(Object.keys(passes) as (keyof typeof passes)[])(
    '%s move by the others alone, within the reach of the kernel',
    async (moves) => {
      const pass = passes[moves];
      const all = Array.from({ length: channels * area }, (_, f) => f);
      const [reads, moved] = moves === 'last_channels' ? [2, 1] : moves === 'first_channels' ? [1, 2] : [3, 3];
      const flow = await load(
        [channels, height, width],
        [{ op: 'image_coupling', form: 'tanh', bound: 1, moves, conv_net: net }],
        oneConv(reads, 2 * moved),
      );
      const x = random.normals(channels * area);
      const { z } = await flow.forward(x);
      for (const f of all) if (pass(f)) expect(z[f]).toBe(x[f]);
      const matrix = jacobian(flow, x);
      let neighbours = 0;
      for (const i of all)
        for (const j of all) {
          const entry = matrix[i * flow.dim + j]!;
          const [di, dj] = [Math.floor((i % area) / width) - Math.floor((j % area) / width), (i % width) - (j % width)];
          const reached = !pass(i) && pass(j) && Math.abs(di) <= 1 && Math.abs(dj) <= 1;
          if (i === j) expect(Math.abs(entry), `${i}, ${note}`).toBeGreaterThan(0.3);
          else if (!reached) expect(entry, `${i} by ${j}, ${note}`).toBe(0);
          else if (entry !== 0) neighbours++;
        }
      expect(neighbours).toBeGreaterThan(all.length);
      flow.dispose();
    },
  );

  test('shift and scale alternate among the outputs of the network', async () => {
    const tensors = {
      'net.weight': { shape: [4, 2, 3, 3], data: new Float32Array(72) },
      'net.bias': { shape: [4], data: [1, 0.5, 2, -0.25] },
    };
    const structure: OpDescription[] = [{ op: 'image_coupling', form: 'exp', moves: 'last_channels', conv_net: net }];
    const flow = await load([4, 1, 1], structure, tensors);
    const { z, logDet } = await flow.forward(Float32Array.of(5, 6, 7, 8));
    for (const [f, value] of [5, 6, 7 * Math.exp(0.5) + 1, 8 * Math.exp(-0.25) + 2].entries()) expect(z[f]).toBeCloseTo(value, 5);
    flow.dispose();
    expect(logDet[0]).toBeCloseTo(0.25, 6);
  });
});

describe('fresh flows', () => {
  test('without data, an additive Glow starts as a rotation', async () => {
    const flow = await glow(held.gpu, { shape: [3, 4, 4], levels: 2, steps: 3, scale: 'additive', splitPrior: false, seed: 5 });
    const x = random.normals(48 * 10);
    const { z, logDet } = await flow.forward(x);
    for (let row = 0; row < 10; row++) {
      const square = (values: Float32Array) => values.subarray(row * 48, (row + 1) * 48).reduce((sum, value) => sum + value * value, 0);
      expect(square(z) / square(x), note).toBeCloseTo(1, 4);
      expect(logDet[row]).toBeCloseTo(0, 4);
    }
    flow.dispose();
  });

  test('P L U is the matrix', () => {
    const n = 12;
    const matrix = randomRotation(n, () => random.uniform());
    const { permutation, lower, upper } = factorPLU(matrix, n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let [product, dot] = [0, 0];
        for (let k = 0; k < n; k++) {
          dot += matrix[i * n + k]! * matrix[j * n + k]!;
          for (let l = 0; l < n; l++) product += permutation[i * n + k]! * lower[k * n + l]! * upper[l * n + j]!;
        }
        expect(Math.abs(product - matrix[i * n + j]!), note).toBeLessThan(1e-12);
        expect(Math.abs(dot - (i === j ? 1 : 0)), note).toBeLessThan(1e-14);
      }
  });

  test.each([
    [
      'glow',
      (data: Float32Array, dataContext: Float32Array) =>
        glow(held.gpu, { shape: [2, 4, 4], steps: 2, hidden: [6], contextDim: 1, data, dataContext }),
    ],
    [
      'imageRealNVP',
      (data: Float32Array, dataContext: Float32Array) =>
        imageRealNVP(held.gpu, { shape: [2, 4, 4], hidden: [6], contextDim: 1, data, dataContext }),
    ],
  ] as const)('%s: each ActNorm starts with outputs of mean 0 and deviation 1 on the data', async (_, make) => {
    const rows = 150;
    // Every pixel of a channel has its own scale, and channels have means far from 0.
    const data = random.normals(rows * 32).map((value, at) => value * (1 + (at % 32)) + (at % 32 < 16 ? 5 : -20));
    const context = random.normals(rows);
    const flow = await make(data, context);
    const { tensors, metadata } = readSafetensors(await flow.save());
    const { structure, features } = descriptionFromMetadata(metadata);
    const shape: [number, number, number] = [2, 4, 4];
    let checked = 0;
    for (const [index, op] of structure.entries()) {
      const names = op.op === 'glow_block' ? op.actnorm : op.op === 'channel_actnorm' ? op : null;
      if (names) {
        // What enters: the ops before as one flow, cut from the whole description.
        const before = structure.slice(0, index);
        const text = JSON.stringify(before);
        const own = [...tensors].filter(
          ([name]) => text.includes(`"${name}"`) || text.includes(`"${name.slice(0, name.lastIndexOf('.'))}"`),
        );
        let values: ArrayLike<number> = data;
        if (before.length > 0) {
          const levels = before.filter((entry) => entry.op === 'split_off').length;
          const renamed = before.map((entry) => (entry.op === 'split_off' ? { ...entry, level: levels - 1 } : entry));
          const description = {
            features,
            context_features: 1,
            event_shape: [2, 4, 4],
            base: { type: 'standard_normal' },
            structure_direction: 'density',
            structure: renamed,
          };
          const part = await importTorch(held.gpu, description, writeSafetensors(new Map(own), {}));
          values = (await part.forward(data, { context })).z;
          part.dispose();
        }
        const [channels, height, width] = shape;
        const area = height * width;
        const logScale = tensors.get(names.log_scale)!.data as Float32Array;
        const shift = tensors.get(names.shift)!.data as Float32Array;
        for (let c = 0; c < channels; c++) {
          const whitened = Array.from({ length: rows * area }, (_, i) => {
            const at = Math.floor(i / area) * features + c * area + (i % area);
            return (values[at]! - shift[c]!) * Math.exp(-logScale[c]!);
          });
          const mean = whitened.reduce((a, b) => a + b) / whitened.length;
          const square = whitened.reduce((sum, value) => sum + value * value, 0) / whitened.length;
          expect(Math.abs(mean), `${index}, ${note}`).toBeLessThan(1e-5);
          expect(Math.abs(square - 1), `${index}, ${note}`).toBeLessThan(1e-5);
          checked++;
        }
      }
      if (op.op === 'squeeze') shape.splice(0, 3, shape[0] * 4, shape[1] / 2, shape[2] / 2);
      if (op.op === 'split_off') shape[0] /= 2;
    }
    expect(checked).toBeGreaterThan(15);
    flow.dispose();
  });

  test('options that do not fit are refused in a sentence', async () => {
    const cases: [() => Promise<unknown>, new (...a: never[]) => Error, string][] = [
      [
        () => glow(held.gpu, { shape: [1, 6, 4] }),
        ValueError,
        'glow: shape needs height and width that 4 divides, for 2 levels; got [1,6,4]',
      ],
      [() => glow(held.gpu, { shape: [1, 4, 6], levels: 2 }), ValueError, 'got [1,4,6]'],
      [() => glow(held.gpu, { shape: [1, 4] as never }), ValueError, 'glow: shape needs [channels, height, width]; got [1,4]'],
      [() => glow(held.gpu, { shape: [0, 4, 4] }), ValueError, 'glow: shape[0] needs an integer ≥ 1; got 0'],
      [() => glow(held.gpu, { shape: [1, 4, 4], levels: 0 }), ValueError, 'glow: levels'],
      [() => glow(held.gpu, { shape: [1, 4, 4], steps: 0 }), ValueError, 'glow: steps'],
      [() => glow(held.gpu, { shape: [1, 4, 4], classes: 1.5 }), ValueError, 'glow: classes'],
      [() => glow(held.gpu, { shape: [1, 4, 4], hidden: [] }), ValueError, 'glow: hidden needs at least one width'],
      [() => glow(held.gpu, { shape: [1, 4, 4], scale: 'tanh' as never }), ValueError, 'glow: scale'],
      [
        () => glow(held.gpu, { shape: [1, 4, 4], data: new Float32Array(17) }),
        ShapeError,
        'glow: data needs [n, 16], a multiple of 16 numbers; got 17',
      ],
      [() => glow(held.gpu, { shape: [1, 4, 4], data: [] as never }), ValueError, 'glow: data needs a Float32Array'],
      [
        () => glow(held.gpu, { shape: [1, 4, 4], data: new Float32Array(16).fill(Number.NaN) }),
        ValueError,
        'glow: data needs finite numbers',
      ],
      [() => glow(held.gpu, { shape: [1, 4, 4], contextDim: 2, data: new Float32Array(16) }), ShapeError, 'glow: dataContext'],
      [() => imageRealNVP(held.gpu, { shape: [1, 5, 4] }), ValueError, 'imageRealNVP: shape needs height and width that 2 divides'],
      [() => imageRealNVP(held.gpu, { shape: [4, 2, 2], levels: 2 }), ValueError, 'two pixels at the last of 2 levels'],
      [() => imageRealNVP(held.gpu, { shape: [1, 2, 2], levels: 1, scaleBound: 0 }), ValueError, 'imageRealNVP: scaleBound'],
    ];
    for (const [made, type, sentence] of cases) {
      const error = await made().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(type);
      expect(String(error)).toContain(sentence);
    }
  });
});

describe('classes', () => {
  test('the density is that of the class, and a label that is none makes its row NaN and no other', async () => {
    const flow = await perturbed(
      held.gpu,
      glow(held.gpu, { shape: [1, 2, 2], levels: 1, steps: 1, hidden: [5], classes: 3, seed: 8 }),
      0.3,
    );
    expect(flow.contextDim).toBe(1);
    const labels = Float32Array.of(0, 2, 1, 3, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2, 0);
    const bad = [3, 4, 5, 6, 7];
    const rows = labels.length;
    const x = random.normals(rows * 4);
    const [logProb, forward] = [await flow.logProb(x, { context: labels }), await flow.forward(x, { context: labels })];
    const parameters = await flow.parameters();
    const [loc, logScale] = [parameters['base.0.loc']!, parameters['base.0.log_scale']!];
    expect(loc.shape).toEqual([4, 1, 1, 3]);
    const drawn = await flow.sampleWithLogProb(rows, { seed: 4, context: labels });
    const plain = await flow.sampleWithLogProb(rows, { seed: 4, context: labels.map((label, row) => (bad.includes(row) ? 0 : label)) });
    for (const [row, label] of labels.entries()) {
      const draw = drawn.x.subarray(row * 4, row * 4 + 4);
      if (bad.includes(row)) {
        expect(logProb[row]).toBeNaN();
        expect(drawn.logProb[row]).toBeNaN();
        expect(draw.every(Number.isNaN)).toBe(true);
        continue;
      }
      let expected = forward.logDet[row]!;
      for (let f = 0; f < 4; f++) {
        const [l, s] = [loc.data[f * 3 + label]!, logScale.data[f * 3 + label]!];
        expected -= s + 0.5 * Math.log(2 * Math.PI) + 0.5 * ((forward.z[row * 4 + f]! - l) * Math.exp(-s)) ** 2;
      }
      expect(logProb[row], note).toBeCloseTo(expected, 4);
      expect(draw).toEqual(plain.x.subarray(row * 4, row * 4 + 4));
      expect(drawn.logProb[row]).toBe(plain.logProb[row]);
    }
    flow.dispose();
  });
});

describe('descriptions that do not fit', () => {
  const coupling = (over: object = {}): OpDescription[] => [
    { op: 'image_coupling', form: 'exp', moves: 'last_channels', conv_net: { ...net, ...over } } as OpDescription,
  ];
  const latent = (level: number, latent_shape: number[]): OpDescription => ({ op: 'final_latent', level, latent_shape });
  const split = (level: number, latent_shape: number[]): OpDescription => ({ op: 'split_off', level, latent_shape });
  const conv1x1: OpDescription[] = [{ op: 'conv1x1', prefix: 'c', use_lu: false }];

  test.each<[string, Parameters<typeof load>, string]>([
    ['an odd height', [[1, 3, 4], [{ op: 'squeeze' }]], 'needs an even height and width; got [1, 3, 4]'],
    ['channels that 4 does not divide', [[2, 2, 2], [{ op: 'unsqueeze' }]], 'needs a multiple of 4 channels; got 2'],
    [
      'an odd number of channels to split',
      [
        [3, 2, 2],
        [split(1, [1, 2, 2]), latent(0, [2, 2, 2])],
      ],
      'needs an even number of channels; got 3',
    ],
    [
      'a latent of another shape',
      [
        [4, 2, 2],
        [split(1, [2, 2, 1]), latent(0, [2, 2, 2])],
      ],
      'needs [2, 2, 2], what is there at this op; got [2, 2, 1]',
    ],
    [
      'levels in another order',
      [
        [4, 2, 2],
        [split(0, [2, 2, 2]), latent(1, [2, 2, 2])],
      ],
      'structure[0].level: needs 1: levels count down to 0',
    ],
    [
      'an even kernel',
      [[2, 2, 2], coupling({ kernel: [2] }), oneConv(1, 2, 2)],
      'needs an odd kernel size for each of 1 convolutions; got [2]',
    ],
    ['too few kernels', [[2, 2, 2], coupling({ kernel: [3, 3] }), oneConv(1, 2)], 'got [3, 3]'],
    ['outputs that do not fit', [[2, 2, 2], coupling(), oneConv(1, 3)], 'net.weight: needs shape [2, 1, 3, 3]; got [3, 1, 3, 3]'],
    ['one channel', [[1, 2, 2], coupling(), oneConv(1, 2)], 'needs at least 2 channels to split; got 1'],
    [
      'a context that is not there',
      [[2, 2, 2], coupling({ context_proj: 'c' }), { ...oneConv(1, 2), 'c.weight': { shape: [2, 1], data: [1, 1] } }],
      'needs at most the 0 context_features of the description; got 1',
    ],
    ['a missing tensor', [[2, 2, 2], coupling(), {}], 'net.weight'],
    [
      'a class without context',
      [
        [1, 1, 1],
        [latent(0, [1, 1, 1])],
        {},
        { base: { type: 'class_cond_diag_normal', levels: [{ loc: 'l', log_scale: 's', shape: [1, 1, 1] }] } },
      ],
      'reads its class from context feature 0',
    ],
    [
      'levels of a base that do not fill it',
      [[2, 1, 1], [latent(0, [2, 1, 1])], {}, { base: { type: 'diag_normal', levels: [{ loc: 'l', log_scale: 's', shape: [1, 1, 1] }] } }],
      'needs shapes of 2 features in all; got 1',
    ],
    [
      'a base level of another shape',
      [[2, 1, 1], [latent(0, [2, 1, 1])], {}, { base: { type: 'diag_normal', levels: [{ loc: 'l', log_scale: 's', shape: [1, 2, 1] }] } }],
      'needs [2,1,1], as structure[0] says; got [1,2,1]',
    ],
  ])('%s', async (_, given, sentence) => {
    const error = await load(...given).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    expect(String(error)).toContain(sentence);
  });

  test('a flow that is no image', async () => {
    const description = { features: 4, base: { type: 'standard_normal' }, structure_direction: 'density', structure: [{ op: 'squeeze' }] };
    const error = await importTorch(held.gpu, description, writeSafetensors(new Map(), {})).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    expect(String(error)).toContain('needs an image: event_shape [channels, height, width]; got [4]');
  });

  test('a singular matrix', async () => {
    const error = await load([2, 1, 1], conv1x1, { 'c.W': { shape: [2, 2], data: [1, 2, 2, 4] } }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ValueError);
    expect(String(error)).toContain('a singular matrix');
  });

  test('a mask that nobody knows', async () => {
    const structure = [{ op: 'image_coupling', form: 'exp', moves: 'rows', conv_net: net }] as never;
    const error = await load([2, 1, 1], structure, oneConv(1, 2)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UnsupportedError);
  });
});
