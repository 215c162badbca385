// What is special about MADE, its mixtures and interpolated layers; the rest is in properties.test.ts.

import { describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { descriptionFromMetadata } from '../../src/format/format.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/format/safetensors.js';
import { type Flow, FormatError, iaf, importTorch, mademog, maf, ValueError } from '../../src/index.js';
import { softplus } from '../reference/math.js';
import { expectError, wrong } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';
import { freshSeed, Random } from '../support/random.js';
import { ReferenceFlow } from '../support/reference-flow.js';

const held = useGpu();

/** A state_dict whose tensors are drawn when a formula names them first. */
class State {
  readonly tensors = new Map<string, StoredTensor>();
  readonly #random = new Random(1502);

  get(
    name: string,
    shape: number[],
    make = () =>
      this.#random.normals(
        shape.reduce((a, b) => a * b, 1),
        0.7,
      ),
  ): Float32Array {
    let tensor = this.tensors.get(name);
    if (!tensor) {
      tensor = { dtype: 'F32', shape, data: make() };
      this.tensors.set(name, tensor);
    }
    return tensor.data as Float32Array;
  }

  /** (W ∘ mask) h + b, the mask open where `open` says so; boolean masks as zuko stores them. */
  linear(
    name: string,
    h: readonly number[],
    outputs: number,
    open?: (o: number, i: number) => boolean,
    dtype: 'F32' | 'BOOL' = 'F32',
  ): number[] {
    const inputs = h.length;
    const weight = this.get(`${name}.weight`, [outputs, inputs]);
    const bias = this.get(`${name}.bias`, [outputs]);
    if (open && !this.tensors.has(`${name}.mask`)) {
      const entries = Array.from({ length: outputs * inputs }, (_, at) => (open(Math.floor(at / inputs), at % inputs) ? 1 : 0));
      const data = dtype === 'F32' ? Float32Array.from(entries) : Uint8Array.from(entries);
      this.tensors.set(`${name}.mask`, { dtype, shape: [outputs, inputs], data } as StoredTensor);
    }
    return Array.from({ length: outputs }, (_, o) =>
      h.reduce((sum, value, i) => sum + (!open || open(o, i) ? weight[o * inputs + i]! * value : 0), bias[o]!),
    );
  }

  bytes = (): Uint8Array => writeSafetensors(this.tensors, {});
}

const relu = (values: readonly number[]) => values.map((value) => Math.max(0, value));
const add = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value + b[i]!);
const chunks = (values: Float32Array, width: number) =>
  Array.from({ length: values.length / width }, (_, row) => [...values.subarray(row * width, (row + 1) * width)]);

function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, bound: number, note = ''): void {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < got.length; i++)
    expect(Math.abs(got[i]! - want[i]!), `${i}: ${got[i]} for ${want[i]}, ${note}`).toBeLessThanOrEqual(bound * (1 + Math.abs(want[i]!)));
}

/** log Σ_k softmax(logit)_k N(x; mean_k, softplus(s_k) + 0.01), summed over features; outputs [D, K, 3]. */
function mixtureLogDensity(x: readonly number[], outputs: readonly number[], components: number): number {
  return x.reduce((total, value, i) => {
    const rows = Array.from({ length: components }, (_, k) => outputs.slice(3 * (i * components + k), 3 * (i * components + k) + 3));
    const logSum = (terms: readonly number[]) => {
      const top = Math.max(...terms);
      return top + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - top), 0));
    };
    const terms = rows.map(([logit, mean, s]) => {
      const sigma = softplus(s!) + 0.01;
      return logit! - 0.5 * Math.log(2 * Math.PI) - Math.log(sigma) - 0.5 * ((value - mean!) / sigma) ** 2;
    });
    return total + logSum(terms) - logSum(rows.map(([logit]) => logit!));
  }, 0);
}

describe('MADE MoG', () => {
  const [D, K, H, C] = [3, 4, 8, 2];
  const hiddenDegrees = Array.from({ length: H }, (_, i) => (i % (D - 1)) + 1);
  const first = (o: number, i: number) => hiddenDegrees[o]! >= i + 1;
  const middle = (o: number, i: number) => hiddenDegrees[o]! >= hiddenDegrees[i]!;
  const last = (o: number, i: number) => Math.floor(o / (3 * K)) + 1 > hiddenDegrees[i]!;

  /** nflows.nn.nde.made.MixtureOfGaussiansMADE: no activation around the first layer. */
  const outputsOf = (state: State, residual: boolean, context: boolean) => (x: readonly number[], c: readonly number[]) => {
    let h = state.linear('_made.initial_layer', x, H, first);
    if (context) h = add(h, state.linear('_made.context_layer', c, H));
    for (const block of ['_made.blocks.0', '_made.blocks.1']) {
      if (!residual) {
        h = relu(state.linear(`${block}.linear`, h, H, middle));
        continue;
      }
      let v = state.linear(`${block}.linear_layers.0`, relu(h), H, middle);
      if (context) v = add(v, state.linear(`${block}.context_layer`, c, H));
      h = add(h, state.linear(`${block}.linear_layers.1`, relu(v), H, middle));
    }
    return state.linear('_made.final_layer', h, 3 * K * D, last);
  };

  async function imported(residual: boolean, context: boolean) {
    const state = new State();
    const outputs = outputsOf(state, residual, context);
    outputs(new Array(D).fill(0), new Array(C).fill(0));
    const flow = await importTorch(
      held.gpu,
      {
        library: 'nflows',
        class: 'nflows.distributions.mixture.MADEMoG',
        constructor: {
          features: D,
          hidden_features: H,
          context_features: context ? C : null,
          num_mixture_components: K,
          use_residual_blocks: residual,
        },
      },
      state.bytes(),
    );
    return { flow, outputs };
  }

  test.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('a state_dict of nflows has the density of its mixtures: residual %s, context %s', async (residual, context) => {
    const { flow, outputs } = await imported(residual, context);
    const random = new Random(freshSeed());
    const note = `VITE_TEST_SEED=${random.seed}`;
    for (const spread of [1, 10]) {
      const [x, c] = [random.normals(100 * D, spread), random.normals(100 * C)];
      const rows = chunks(c, C);
      const want = chunks(x, D).map((row, i) => mixtureLogDensity(row, outputs(row, rows[i]!), K));
      expectClose(await flow.logProb(x, context ? { context: c } : {}), want, spread === 1 ? 5e-5 : 2e-4, note); // deviations down to 0.01
    }
    flow.dispose();
  });

  test('the density in far tails, where neither side of a distribution function nor the density is a float32', async () => {
    const { flow, outputs } = await imported(true, false);
    // The first feature's mixture depends on nothing; the others' on numbers of the same size.
    const x = Float32Array.from([-1e4, 0.1, 0.2, 1e4, -0.3, 0.1, 1e4, -1e4, 1e4, -200, 300, 20]);
    const want = chunks(x, D).map((row) => mixtureLogDensity(row, outputs(row, []), K));
    expectClose(await flow.logProb(x), want, 2e-5);
    const { z, logDet } = await flow.forward(x);
    for (const value of [...z, ...logDet]) expect(Number.isFinite(value)).toBe(true);
    // z says of x what float32 holds: beside a log-weight of −1e7 a deviation is lost. So z is what comes back, as near as nets of 1e4 give it.
    expectClose((await flow.forward((await flow.inverse(z)).x)).z, z, 1e-3);
    flow.dispose();
  });

  test('latents far out come back, and infinite ones give no finite number', async () => {
    const flow = await mademog(held.gpu, { dim: 2, components: 3, hidden: [7], seed: 1 });
    const z = Float32Array.from([-1e4, 1e4, 20, -20, 0, 0, 1e-20, -1e-20]);
    const { x } = await flow.inverse(z);
    expectClose((await flow.forward(x)).z, z, 2e-6);
    const infinite = await flow.forward(Float32Array.from([Number.POSITIVE_INFINITY, 0]));
    expect(Number.isFinite(infinite.z[0]!)).toBe(false);
    const back = await flow.inverse(Float32Array.from([Number.NEGATIVE_INFINITY, 0]));
    expect(Number.isFinite(back.x[0]!) && Math.abs(back.x[0]!) < 1e30).toBe(false);
    flow.dispose();
  });

  test('one component is an affine layer: z = (x − μ) / σ', async () => {
    const flow = await mademog(held.gpu, { dim: 1, components: 1, hidden: [4], seed: 3 });
    const { z, logDet } = await flow.forward(Float32Array.from([-30, -1, 0, 1, 7, 1e4]));
    const slope = Math.exp(logDet[0]!);
    expectClose(logDet, new Array(6).fill(logDet[0]!), 2e-6);
    expectClose(
      z,
      [-30, -1, 0, 1, 7, 1e4].map((x) => z[2]! + slope * x),
      2e-6,
    );
    flow.dispose();
  });
});

describe('interpolated layers', () => {
  test.each([0.25, 0.999, 1e-3])('MAF: x + %f (f(x) − x); IAF: the same of the noise', async (a) => {
    const random = new Random(freshSeed());
    const values = random.normals(50 * 4);
    const options = { dim: 4, layers: 1, hidden: [20], seed: 8 };
    const pick = { maf: async (flow: Flow) => (await flow.forward(values)).z, iaf: async (flow: Flow) => (await flow.inverse(values)).x };
    for (const [name, make] of Object.entries({ maf, iaf }) as ['maf' | 'iaf', typeof maf][]) {
      const whole = await pick[name](await make(held.gpu, options));
      const part = await pick[name](await make(held.gpu, { ...options, interpolation: a }));
      const want = values.map((value, i) => value + a * (whole[i]! - value));
      expectClose(part, want, 1e-6, `${name}, VITE_TEST_SEED=${random.seed}`);
    }
  });

  test('with m = 1 the description is that of the plain layer', async () => {
    const flow = await maf(held.gpu, { dim: 2, layers: 2, interpolation: [1, 0.5] });
    const { structure } = descriptionFromMetadata(readSafetensors(await flow.save()).metadata);
    expect(structure.filter(({ op }) => op === 'ar_affine').map((op) => 'mix' in op)).toEqual([false, true]);
    flow.dispose();
  });
});

describe("zuko's nets", () => {
  /** z = x e^a + shift, a = s / (1 + |s / ln slope|). */
  const softclip = (x: readonly number[], outputs: readonly number[]) =>
    x.map((value, i) => value * Math.exp(outputs[2 * i + 1]! / (1 + Math.abs(outputs[2 * i + 1]! / Math.log(1e-3)))) + outputs[2 * i]!);

  test('residual blocks between layers that change the width', async () => {
    const [state, D] = [new State(), 4];
    const widths = [6, 6, 9];
    const hyper = 'transform.transforms.0.hyper';
    // Levels 1 … D − 1 in turn; feature i reads what is below i.
    const level = (i: number) => i % (D - 1);
    const net = (x: readonly number[]) => {
      let h = state.linear(`${hyper}.0`, x, widths[0]!, (o, i) => i <= level(o), 'BOOL');
      const block = (name: string, width: number) => {
        const inner = relu(state.linear(`${name}.0`, h, width, (o, i) => level(i) <= level(o), 'BOOL'));
        h = add(
          h,
          state.linear(`${name}.2`, inner, width, (o, i) => level(i) <= level(o), 'BOOL'),
        );
      };
      block(`${hyper}.1`, widths[0]!);
      block(`${hyper}.2`, widths[1]!);
      h = state.linear(`${hyper}.3`, h, widths[2]!, (o, i) => level(i) <= level(o), 'BOOL');
      block(`${hyper}.4`, widths[2]!);
      return state.linear(`${hyper}.5`, h, 2 * D, (o, i) => level(i) < Math.floor(o / 2), 'BOOL');
    };
    net([0, 0, 0, 0]);
    state.tensors.set('transform.transforms.0.order', { dtype: 'I64', shape: [D], data: BigInt64Array.from([0n, 1n, 2n, 3n]) });
    const flow = await importTorch(
      held.gpu,
      { class: 'zuko.flows.MAF', constructor: { features: D, transforms: 1, hidden_features: widths, residual: true } },
      state.bytes(),
    );
    const x = new Random(freshSeed()).normals(50 * D);
    expectClose(
      (await flow.forward(x)).z,
      chunks(x, D).flatMap((row) => softclip(row, net(row))),
      1e-5,
    );
    expectClose((await flow.inverse((await flow.forward(x)).z)).x, x, 1e-3);
    flow.dispose();
  });

  test('passes: features of one order do not see each other', async () => {
    const [state, D] = [new State(), 4];
    const order = [0, 1, 0, 1];
    const hyper = 'transform.transforms.0.hyper';
    const net = (x: readonly number[]) => {
      const h = relu(state.linear(`${hyper}.0`, x, 6, (_, i) => order[i] === 0, 'BOOL'));
      return state.linear(`${hyper}.2`, h, 2 * D, (o) => order[Math.floor(o / 2)] === 1, 'BOOL');
    };
    net([0, 0, 0, 0]);
    state.tensors.set('transform.transforms.0.order', { dtype: 'I64', shape: [D], data: BigInt64Array.from(order, BigInt) });
    const flow = await importTorch(
      held.gpu,
      { class: 'zuko.flows.MAF', constructor: { features: D, transforms: 1, hidden_features: [6], passes: 2, randperm: true } },
      state.bytes(),
    );
    const x = new Random(freshSeed()).normals(50 * D);
    const { z } = await flow.forward(x);
    expectClose(
      z,
      chunks(x, D).flatMap((row) => softclip(row, net(row))),
      1e-5,
    );
    expectClose((await flow.inverse(z)).x, x, 1e-4);
    flow.dispose();
  });
});

describe('options that cannot be', () => {
  const bad: [options: object, message: string][] = [
    [{ order: [0, 1] }, 'maf: order needs each of 0 to 2 once; got [0,1]'],
    [{ order: [0, 1, 1] }, 'maf: order needs each of 0 to 2 once; got [0,1,1]'],
    [{ order: 'up' }, 'maf: order needs natural, reverse, random or a list; got "up"'],
    [{ degrees: 'even' }, `maf: degrees needs 'sequential' or 'random'; got "even"`],
    [{ contextMode: 'multiply' }, `maf: contextMode needs 'add', 'concat' or 'gate'; got "multiply"`],
    [
      { contextMode: 'gate' },
      "maf: contextMode needs 'add' or 'concat' without residual blocks, which are what a gate multiplies; got \"gate\"",
    ],
    [
      { residual: true, hidden: [8, 9] },
      'maf: hidden needs equal widths with residual, since blocks are added to what they read; got [8,9]',
    ],
    [
      { activation: 'mish' },
      `maf: activation needs 'identity', 'relu', 'tanh', 'sigmoid', 'elu', 'leaky_relu', 'silu' or 'softplus'; got "mish"`,
    ],
    [{ interpolation: 0 }, 'maf: interpolation needs numbers above 0, at most 1; got 0'],
    [{ interpolation: Number.NaN }, 'maf: interpolation needs numbers above 0, at most 1; got NaN'],
    [{ interpolation: [0.5] }, 'maf: interpolation needs a number, or 2 of them, one a layer; got [0.5]'],
    [{ interpolation: [0.5, 0.5], output: { mixture: 2 } }, 'maf: interpolation needs 1 for a layer that is a mixture; got [0.5,0.5]'],
    [{ interpolation: 0.5, output: { mixture: 2, layers: 'all' } }, 'maf: interpolation needs 1 for a layer that is a mixture; got 0.5'],
    [{ output: { mixture: 0 } }, 'maf: output.mixture needs an integer ≥ 1; got 0'],
    [{ output: { mixture: 2, eps: 0 } }, 'maf: output.eps needs a number above 0; got 0'],
    [{ output: { mixture: 2, layers: 'first' } }, "maf: output.layers needs 'last' or 'all'; got \"first\""],
  ];
  test.each(bad)('%j', (options, message) =>
    expectError(() => maf(held.gpu, { dim: 3, layers: 2, hidden: [8], ...options }), ValueError, 'E_VALUE', message),
  );

  test('mixtures are of maf alone', () =>
    expectError(() => iaf(held.gpu, wrong({ dim: 3, output: { mixture: 2 } })), ValueError, 'E_VALUE', /^iaf: output needs nothing/));

  test('a description with a mixture of no least deviation, or an interpolation above 1', async () => {
    const flow = await mademog(held.gpu, { dim: 2, components: 2, hidden: [4] });
    const { metadata, tensors } = readSafetensors(await flow.save());
    const description = descriptionFromMetadata(metadata);
    const [op] = description.structure;
    const changed = (change: object) => () =>
      importTorch(held.gpu, { ...description, structure: [{ ...op, ...change }] }, writeSafetensors(tensors, {}));
    await expectError(changed({ eps: 0 }), FormatError, 'E_FORMAT', /eps.*needs a number above 0, the least deviation; got 0/);
    await expectError(changed({ components: 3 }), FormatError, 'E_FORMAT', /needs 18 outputs; got 12/);
    await expectError(
      changed({ op: 'ar_affine', form: 'exp', mix: 1.5 }),
      FormatError,
      'E_FORMAT',
      /mix.*needs a number above 0, at most 1; got 1.5/,
    );
    flow.dispose();
  });
});

test('wide layers are solved in panels, by the kernels of the rule, as in float64', async () => {
  const flow = await maf(held.gpu, { dim: 7, layers: 1, hidden: [400, 400], contextDim: 2, seed: 70 });
  const programs = flow as unknown as GpuFlow;
  expect(
    programs.record('inverse').commands.filter(({ kernel }) => kernel.source.name === 'autoregressive-solve-affine').length,
  ).toBeGreaterThan(2);
  const random = new Random(freshSeed());
  const [z, context] = [random.normals(257 * 7), random.normals(257 * 2)];
  const got = await flow.inverse(z, { context });
  const want = new ReferenceFlow(programs).inverse(z, context);
  expectClose(got.x, want.x, 5e-6, `VITE_TEST_SEED=${random.seed}`);
  expectClose(got.logDet, want.logDet, 5e-6, `VITE_TEST_SEED=${random.seed}`);
});
