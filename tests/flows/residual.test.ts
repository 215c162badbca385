// Residual flows: estimators against the exact log-det, solvers against their bounds, networks against their formulas, and refusals.

import { describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import type { NetDescription, ResidualInverseDescription, ResidualLogDetDescription } from '../../src/format/description.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/format/safetensors.js';
import { FormatError, importTorch, type ResidualOptions, residual, UnsupportedError, ValueError } from '../../src/index.js';
import { expectError } from '../support/errors.js';
import { input, loadGolden } from '../support/golden.js';
import { useGpu } from '../support/gpu.js';
import { freshSeed, Random } from '../support/random.js';
import { ReferenceFlow } from '../support/reference-flow.js';

const held = useGpu();

interface Settings {
  readonly log_det?: ResidualLogDetDescription;
  readonly inverse?: ResidualInverseDescription;
}

/** One residual layer that was trained: D 2, hidden 64 × 2, L 0.913, and 128 rows of its data. */
async function trainedLayer(settings: Settings): Promise<{ flow: GpuFlow; x: Float32Array }> {
  const { io, description, weights } = await loadGolden('normflows-residual-d2');
  const tensors = new Map([...readSafetensors(weights).tensors].filter(([name]) => name.startsWith('flows.0.')));
  const structure = (description.structure as object[]).slice(-1).map((op) => ({ ...op, ...settings }));
  const flow = await importTorch(held.gpu, { ...description, base: { type: 'standard_normal' }, structure }, writeSafetensors(tensors, {}));
  return { flow: flow as GpuFlow, x: input(io, 'x')! };
}
const LIPSCHITZ = 0.9127;

const distance = (a: ArrayLike<number>, b: ArrayLike<number>, row: number, dim: number): number =>
  Math.hypot(...Array.from({ length: dim }, (_, f) => a[row * dim + f]! - b[row * dim + f]!));

describe('log-det', () => {
  test('the error of the series falls and stays below D L^(n + 1) / ((n + 1) (1 − L))', async () => {
    const exactly = await trainedLayer({});
    const { x } = exactly;
    const exact = new ReferenceFlow(exactly.flow).forward(x).logDet;
    exactly.flow.dispose();
    let before = Number.POSITIVE_INFINITY;
    for (const terms of [1, 2, 4, 8, 16]) {
      const { flow } = await trainedLayer({ log_det: { method: 'series', terms, probe: 'unit' } });
      const error = Math.max(...new ReferenceFlow(flow).forward(x).logDet.map((value, row) => Math.abs(value - exact[row]!)));
      expect(error).toBeLessThanOrEqual((2 * LIPSCHITZ ** (terms + 1)) / ((terms + 1) * (1 - LIPSCHITZ)));
      expect(error).toBeLessThan(before);
      before = error;
      flow.dispose();
    }
    expect(before).toBeLessThan(1e-3);
  });

  test.each<[string, ResidualLogDetDescription]>([
    ['roulette, geometric, one vector of signs', { method: 'roulette' }],
    ['roulette, geometric, exact traces', { method: 'roulette', exact_terms: 1, probe: 'unit' }],
    ['roulette, Poisson, two normal vectors', { method: 'roulette', distribution: 'poisson', probe: 'gaussian', probes: 2 }],
    ['roulette without exact terms', { method: 'roulette', exact_terms: 0, rate: 0.3, probe: 'unit' }],
    ['long series, one vector of signs', { method: 'series', terms: 24 }],
  ])('%s: the mean is the exact log-det within its standard error', async (_, log_det) => {
    const random = new Random(freshSeed());
    const exactly = await trainedLayer({});
    const [points, repeats] = [24, 128];
    const x = exactly.x.slice(0, 2 * points);
    const exact = (await exactly.flow.forward(x)).logDet;
    const { flow } = await trainedLayer({ log_det });
    const many = Float32Array.from({ length: 2 * points * repeats }, (_, i) => x[i % (2 * points)]!);
    const { logDet } = await flow.forward(many, { seed: random.integer(2 ** 32) });
    let [deviation, variance, chiSquare] = [0, 0, 0];
    for (let point = 0; point < points; point++) {
      const draws = Array.from({ length: repeats }, (_, i) => logDet[i * points + point]!);
      const mean = draws.reduce((a, b) => a + b) / repeats;
      const squared = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (repeats - 1) / repeats;
      deviation += mean - exact[point]!;
      variance += squared;
      chiSquare += (mean - exact[point]!) ** 2 / squared;
    }
    const note = `VITE_TEST_SEED=${random.seed}`;
    expect(variance, note).toBeGreaterThan(1e-8 * points);
    expect(Math.abs(deviation) / Math.sqrt(variance), note).toBeLessThan(5);
    expect(chiSquare, note).toBeLessThan(points + 10 * Math.sqrt(2 * points)); // draws of a roulette have heavy tails
    flow.dispose();
    exactly.flow.dispose();
  });

  test('draws follow the seed and the row of the whole batch', async () => {
    const { flow, x } = await trainedLayer({ log_det: { method: 'roulette' } });
    const first = await flow.logProb(x, { seed: 1 });
    expect(await flow.logProb(x, { seed: 1 })).toEqual(first);
    expect(await flow.logProb(x, { seed: 2 })).not.toEqual(first);
    expect(await flow.logProb(x)).toEqual(await flow.logProb(x, { seed: 0 }));
    expect((await flow.logProb(x.slice(0, 140), { seed: 1 })).subarray(0, 70)).toEqual(first.subarray(0, 70));
    // The log-det of a draw is that of the way back: x differs by rounding, the random vectors do not.
    const { z, logDet } = await flow.forward(x, { seed: 3 });
    const back = await flow.inverse(z, { seed: 3 });
    for (const [row, value] of back.logDet.entries()) expect(value + logDet[row]!).toBeCloseTo(0, 3);
    flow.dispose();
  });

  test('two layers draw their own numbers', async () => {
    const flow = (await residual(held.gpu, { dim: 3, layers: 2, hidden: [5], logDet: { series: 3 } })) as GpuFlow;
    const streams = flow.record('forward').commands.flatMap(({ params }) => ('stream' in params ? [params.stream] : []));
    expect(new Set(streams).size).toBe(2);
    flow.dispose();
  });

  test('more features than an exact log-det takes: a series, in both directions', async () => {
    const random = new Random(freshSeed());
    const flow = (await residual(held.gpu, { dim: 80, layers: 1, hidden: [90], logDet: { series: 5, probes: 2 }, seed: 3 })) as GpuFlow;
    const x = random.normals(70 * 80);
    const { z, logDet } = await flow.forward(x, { seed: 4 });
    const back = await flow.inverse(z, { seed: 4 });
    for (let row = 0; row < 70; row++) {
      expect(distance(back.x, x, row, 80), `VITE_TEST_SEED=${random.seed}`).toBeLessThan(1e-4);
      expect(back.logDet[row]! + logDet[row]!, `VITE_TEST_SEED=${random.seed}`).toBeCloseTo(0, 4);
    }
    flow.dispose();
  });
});

describe('inverse', () => {
  test('k plain steps leave at most L^k / (1 − L) of the first residual', async () => {
    const reference = await trainedLayer({});
    const { x: z } = reference; // any point is a z
    const exact = new ReferenceFlow(reference.flow).inverse(z).x;
    const first = new ReferenceFlow(reference.flow).forward(z).z; // z + g(z): the first residual is g(z)
    const errors = [];
    for (const iterations of [1, 5, 20, 60]) {
      const { flow } = await trainedLayer({ inverse: { method: 'fixed_point', iterations } });
      const { x } = await flow.inverse(z);
      for (let row = 0; row < 128; row++)
        expect(distance(x, exact, row, 2)).toBeLessThanOrEqual(
          (LIPSCHITZ ** iterations / (1 - LIPSCHITZ)) * distance(first, z, row, 2) + 1e-5,
        );
      errors.push(Math.max(...x.map((value, i) => Math.abs(value - exact[i]!))));
      flow.dispose();
    }
    expect(errors[0]).toBeGreaterThan(0.1);
    expect(errors[1]).toBeLessThan(errors[0]!);
    expect(errors[3]).toBeLessThan(1e-5);
    reference.flow.dispose();
  });

  test('a tolerance bounds the residual and the error, and saves work', async () => {
    const tolerance = 1e-3;
    const { flow, x: z } = await trainedLayer({ inverse: { method: 'broyden', tolerance } });
    const { x } = await flow.inverse(z);
    const { z: again } = await flow.forward(x);
    const exact = new ReferenceFlow(flow).inverse(z).x; // to the same tolerance in float64
    const residuals = Array.from(
      { length: 128 },
      (_, row) => distance(again, z, row, 2) / Math.max(1, Math.hypot(x[2 * row]!, x[2 * row + 1]!)),
    );
    expect(Math.max(...residuals)).toBeLessThan(1.01 * tolerance);
    expect(Math.max(...residuals)).toBeGreaterThan(1e-6); // it stopped there
    for (let row = 0; row < 128; row++) expect(distance(x, exact, row, 2)).toBeLessThan((8 * tolerance) / (1 - LIPSCHITZ));
    flow.dispose();
  });

  test('both methods end at the same point, far from the data too', async () => {
    const random = new Random(freshSeed());
    const [broyden, plain] = [await trainedLayer({}), await trainedLayer({ inverse: { method: 'fixed_point' } })];
    for (const scale of [1, 100]) {
      const z = random.normals(2 * 257, scale);
      const [a, b] = [(await broyden.flow.inverse(z)).x, (await plain.flow.inverse(z)).x];
      for (const [i, value] of a.entries()) expect(Math.abs(value - b[i]!), `VITE_TEST_SEED=${random.seed}`).toBeLessThan(2e-5 * scale);
    }
    broyden.flow.dispose();
    plain.flow.dispose();
  });

  test('a row does not depend on its neighbours, and one that is no number is NaN', async () => {
    const { flow, x: z } = await trainedLayer({});
    const whole = (await flow.inverse(z)).x;
    for (const row of [0, 5, 77]) expect((await flow.inverse(z.slice(2 * row, 2 * row + 2))).x).toEqual(whole.slice(2 * row, 2 * row + 2));
    const broken = z.slice();
    for (const [at, value] of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30].entries()) broken[2 * at + 21] = value;
    const got = (await flow.inverse(broken)).x;
    const rows = [10, 11, 12, 13];
    for (const row of rows) expect([got[2 * row], got[2 * row + 1]]).toEqual([Number.NaN, Number.NaN]);
    for (const row of rows) got.set(whole.subarray(2 * row, 2 * row + 2), 2 * row);
    expect(got).toEqual(whole);
    flow.dispose();
  });
});

/** Tensors of a net by name, random of the given size, and what float64 makes of them. */
class Net {
  readonly tensors = new Map<string, StoredTensor>();
  constructor(readonly random: Random) {}

  tensor(name: string, shape: number[], scale: number): Float32Array {
    const data = this.random.normals(
      shape.reduce((a, b) => a * b, 1),
      scale,
    );
    this.tensors.set(name, { dtype: 'F32', shape, data });
    return data;
  }

  linear(name: string, inputs: number, outputs: number, scale: number): (h: number[], factor?: number) => number[] {
    const [weight, bias] = [this.tensor(`${name}.weight`, [outputs, inputs], scale), this.tensor(`${name}.bias`, [outputs], 0.3)];
    return (h, factor = 1) =>
      Array.from({ length: outputs }, (_, o) => h.reduce((sum, value, i) => sum + factor * weight[o * inputs + i]! * value, bias[o]!));
  }
}

describe('networks', () => {
  const [D, C, H] = [3, 2, 4];
  const check = async (net: NetDescription, build: (made: Net) => (x: number[], c: number[]) => number[], contextDim: number) => {
    const made = new Net(new Random(freshSeed()));
    const g = build(made);
    const structure = [{ op: 'residual', net }];
    const description = {
      features: D,
      context_features: contextDim,
      base: { type: 'standard_normal' },
      structure_direction: 'density',
      structure,
    };
    const flow = await importTorch(held.gpu, description, writeSafetensors(made.tensors, {}));
    const [x, context] = [made.random.normals(5 * D), made.random.normals(5 * C)];
    const { z } = await flow.forward(x, contextDim > 0 ? { context } : {});
    const back = await flow.inverse(z, contextDim > 0 ? { context } : {});
    for (let row = 0; row < 5; row++) {
      const own = Array.from(x.subarray(row * D, (row + 1) * D));
      const moved = g(own, Array.from(context.subarray(row * C, (row + 1) * C)));
      for (let f = 0; f < D; f++) {
        expect(z[row * D + f], `VITE_TEST_SEED=${made.random.seed}`).toBeCloseTo(own[f]! + moved[f]!, 5);
        expect(back.x[row * D + f], `VITE_TEST_SEED=${made.random.seed}`).toBeCloseTo(own[f]!, 4);
      }
    }
    flow.dispose();
  };
  const add = (a: number[], b: number[]) => a.map((value, i) => value + b[i]!);

  test('masked_mlp with a projected context', () =>
    check(
      { type: 'masked_mlp', linears: ['a', 'b'], activation: 'tanh', context_proj: 'c' },
      (made) => {
        const [a, b, c] = [made.linear('a', D, H, 0.15), made.linear('b', H, D, 0.15), made.linear('c', C, H, 1)];
        return (x, context) => b(add(a(x), c(context)).map(Math.tanh));
      },
      C,
    ));

  test('zuko_mlp with a concatenated context', () =>
    check(
      { type: 'zuko_mlp', linears: ['a', 'b'], activation: 'elu', context_concat: true },
      (made) => {
        const [a, b] = [made.linear('a', D + C, H, 0.15), made.linear('b', H, D, 0.15)];
        return (x, context) => b(a([...x, ...context]).map((v) => (v < 0 ? Math.expm1(v) : v)));
      },
      C,
    ));

  test('a single layer with a context', () =>
    check(
      { type: 'masked_mlp', linears: ['a'], activation: 'relu', context_proj: 'c' },
      (made) => {
        const [a, c] = [made.linear('a', D, D, 0.12), made.linear('c', C, D, 1)];
        return (x, context) => add(a(x), c(context));
      },
      C,
    ));

  // W = 3 I: its spectral norm is 3, and with the stored vectors u = v = e_0 as well.
  const scaled = (made: Net, name: string, vectors: boolean) => {
    const weight = new Float32Array(D * D);
    for (let i = 0; i < D; i++) weight[i * D + i] = 3;
    const bias = made.tensor(`${name}.bias`, [D], 0.3);
    made.tensors.set(`${name}.weight`, { dtype: 'F32', shape: [D, D], data: weight });
    for (const vector of vectors ? ['u', 'v'] : [])
      made.tensors.set(`${name}.${vector}`, { dtype: 'F32', shape: [D], data: Float32Array.of(1, 0, 0) });
    return (h: number[], coeff: number) => h.map((value, i) => coeff * value + bias[i]!);
  };
  test.each([true, false])('lipschitz_mlp normalises its layers, stored vectors %s', (vectors) =>
    check(
      { type: 'lipschitz_mlp', coeff: 0.8, layers: [{ linear: 'a' }, { linear: 'b', swish_beta: 'beta' }] },
      (made) => {
        const [a, b, [beta]] = [scaled(made, 'a', vectors), scaled(made, 'b', vectors), made.tensor('beta', [1], 1)];
        const steep = Math.log1p(Math.exp(beta!));
        return (x) =>
          b(
            a(x, 0.8).map((v) => v / (1 + Math.exp(-steep * v)) / 1.1),
            0.8,
          );
      },
      0,
    ),
  );

  test('lipschitz_mlp with a concatenated context', () =>
    check(
      { type: 'lipschitz_mlp', coeff: 0.9, activation: 'relu', context_concat: true, layers: [{ linear: 'a' }, { linear: 'b' }] },
      (made) => {
        const [a, b] = [made.linear('a', D + C, H, 0.15), made.linear('b', H, D, 0.15)];
        return (x, context) => b(a([...x, ...context]).map((v) => Math.max(v, 0)));
      },
      C,
    ));
});

describe('refusals', () => {
  const refuses = (body: () => unknown, type: typeof FormatError | typeof UnsupportedError | typeof ValueError, part: string) => {
    const code = type === FormatError ? 'E_FORMAT' : type === ValueError ? 'E_VALUE' : 'E_UNSUPPORTED';
    return expectError(body, type, code, new RegExp(part.replace(/[()[\].]/g, '\\$&')));
  };
  const importing = (net: object, tensors: ReadonlyMap<string, StoredTensor>, extra: object = {}) => {
    const structure = [{ op: 'residual', net, ...extra }];
    const description = { features: 2, base: { type: 'standard_normal' }, structure_direction: 'density', structure };
    return importTorch(held.gpu, description, writeSafetensors(tensors, {}));
  };
  const square = (scale: number, outputs = 2) => {
    const weight = new Float32Array(outputs * 2);
    for (let i = 0; i < Math.min(outputs, 2); i++) weight[i * 2 + i] = scale;
    return new Map<string, StoredTensor>([['a.weight', { dtype: 'F32', shape: [outputs, 2], data: weight }]]);
  };
  const net = { type: 'masked_mlp', linears: ['a'], activation: 'tanh' };
  const PLACE = 'description.structure[0]';

  test('a network that is no contraction, with the bound that was found', async () => {
    await refuses(() => importing(net, square(1.25)), ValueError, `${PLACE}: net needs a product of spectral norms below 1`);
    await refuses(() => importing(net, square(1.25)), ValueError, 'got 1.25');
    (await importing(net, square(0.99))).dispose();
    const own = { type: 'lipschitz_mlp', coeff: 1, layers: [{ linear: 'a' }] };
    await refuses(() => importing(own, square(7)), ValueError, 'below 1');
  });

  test('a network that is another op’s, and outputs that do not fit', async () => {
    const made = { type: 'ptf_made', prefix: 'a', activation: 'relu', context: false };
    await refuses(() => importing(made, square(0.5)), UnsupportedError, 'net "ptf_made" of a residual layer');
    await refuses(() => importing(net, square(0.5, 3)), FormatError, 'the last layer of the net needs 2 outputs; got 3');
  });

  test('settings of the estimator', async () => {
    const of = (log_det: object) => importing(net, square(0.5), { log_det });
    await refuses(
      () => of({ method: 'roulette', rate: 1 }),
      FormatError,

      'log_det.rate: needs a chance between 0 and 1; got 1',
    );
    await refuses(() => of({ method: 'roulette', exact_terms: 9, terms: 9 }), FormatError, 'exact_terms');
    await refuses(() => of({ method: 'series' }), FormatError, `${PLACE}.log_det.terms`);
    await refuses(() => of({ method: 'guess' }), UnsupportedError, '"guess"');
    await refuses(() => importing(net, square(0.5), { inverse: { method: 'newton' } }), UnsupportedError, '"newton"');
  });

  test.each<[string, Partial<ResidualOptions>, string]>([
    ['a coefficient of 1', { coefficient: 1 }, 'residual: coefficient'],
    ['an activation', { activation: 'silu' as never }, 'residual: activation'],
    ['a log-det', { logDet: {} as never }, 'residual: logDet needs'],
    ['a series of nothing', { logDet: { series: 0 } }, 'residual: logDet.series'],
    ['a probe', { logDet: { series: 3, probe: 'sign' as never } }, 'residual: logDet.probe'],
    ['a distribution', { logDet: { roulette: 'uniform' as never } }, 'residual: logDet.roulette'],
    ['a rate', { logDet: { roulette: 'poisson', rate: 0 } }, 'residual: logDet.rate needs a positive mean; got 0'],
    ['exact terms', { logDet: { roulette: 'geometric', exactTerms: 64 } }, 'residual: logDet.exactTerms'],
    ['a solver', { inverse: 'newton' as never }, 'residual: inverse needs'],
    ['a tolerance', { inverse: { method: 'broyden', tolerance: -1 } }, 'residual: inverse.tolerance'],
    ['iterations', { inverse: { method: 'fixed-point', iterations: 0.5 } }, 'residual: inverse.iterations'],
    [
      'an exact log-det of 65 features',
      { dim: 65 },
      'residual: logDet needs { series: n } or { roulette: … } for more than 64 features; got "exact for 65"',
    ],
  ])('%s', async (_, options, sentence) => {
    await refuses(() => residual(held.gpu, { dim: 2, layers: 1, hidden: [4], ...options }), ValueError, sentence);
  });
});
