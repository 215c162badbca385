// Temporal flows: the recurrent network against plain loops, densities and draws against float64, against the flow of a step, and
// against each other.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { derivedSeed } from '../../src/flows/seeds.js';
import { readSafetensors } from '../../src/format/safetensors.js';
import { Gpu, importTemporal, importTorch, loadTemporal, realNVP, type TemporalFlow, temporal, temporalMaf } from '../../src/index.js';
import { normalsFromBits, philox4x32 } from '../reference/math.js';
import { keyOf } from '../reference/standard-normal.js';
import { expectSameBits } from '../support/buffers.js';
import { loadGolden } from '../support/golden.js';
import { useGpu } from '../support/gpu.js';
import { freshSeed, Random } from '../support/random.js';
import { plainRecurrent, ReferenceTemporal, stepFlow } from '../support/reference-temporal.js';
import { oneUnit, shiftByState, stateDict } from '../support/temporal-files.js';

const held = useGpu();
const random = new Random(freshSeed());
const note = `VITE_TEST_SEED=${random.seed}`;

/** Errors beside float64, relative to 1 + |value|: as for other flows, and a recurrent network does not magnify them. */
const TOLERANCE = 5e-6;

function mixedError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got.length).toBe(want.length);
  let worst = 0;
  for (let i = 0; i < got.length; i++) worst = Math.max(worst, Math.abs(got[i]! - want[i]!) / (1 + Math.abs(want[i]!)));
  return worst;
}

const rowsOf = (values: Float32Array, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, row) => [...values.subarray(row * width, (row + 1) * width)]);

// biome-ignore format: one line a flow
const table = {
  'lstm, D 1': (gpu: Gpu) => temporalMaf(gpu, { dim: 1, hidden: 5, flow: { layers: 2, hidden: [7] }, seed: 1 }),
  'lstm, two layers, D 3, covariates': (gpu: Gpu) => temporalMaf(gpu, { dim: 3, hidden: 9, lstmLayers: 2, covariates: 2, flow: { layers: 2, hidden: [16] }, seed: 2 }),
  'gru, two layers, D 2, covariates': (gpu: Gpu) => temporalMaf(gpu, { dim: 2, hidden: 13, lstmLayers: 2, cell: 'gru', covariates: 1, flow: { layers: 2, hidden: [16] }, seed: 3 }),
  'lstm, D 2, mean scaling': (gpu: Gpu) => temporalMaf(gpu, { dim: 2, hidden: 6, scaling: 'mean', flow: { layers: 1, hidden: [16] }, seed: 4 }),
  'lstm over realNVP, state alone as context': async (gpu: Gpu) =>
    temporal(gpu, { flow: await realNVP(gpu, { dim: 2, layers: 2, hidden: [16], contextDim: 8, seed: 5 }), covariates: 3, hidden: 8, seed: 5 }),
};

describe.each(Object.entries(table))('%s', (name, make) => {
  const scaled = name.includes('scaling');
  let flow: TemporalFlow;
  let reference: ReferenceTemporal;
  beforeAll(async () => {
    flow = await make(held.gpu);
    reference = new ReferenceTemporal(flow, scaled);
  });
  afterAll(() => flow.dispose());
  const series = (batch: number, steps: number) => random.normals(batch * steps * flow.dim);
  const covariatesOf = (batch: number, steps: number) =>
    flow.covariates > 0 ? { covariates: random.normals(batch * steps * flow.covariates) } : {};
  const futureOf = (batch: number, steps: number) =>
    flow.covariates > 0 ? { futureCovariates: random.normals(batch * steps * flow.covariates) } : {};

  test.each([
    [1, 1],
    [1, 40],
    [3, 5],
    [257, 3],
  ])('%i series of %i steps agree with float64', async (batch, time) => {
    const x = series(batch, time);
    const given = covariatesOf(batch, time);
    const exact = reference.score(x, time, given);
    const got = await flow.logProb(x, { time, ...given });
    expect(mixedError(await flow.contexts(x, { time, ...given }), exact.contexts), note).toBeLessThan(TOLERANCE);
    expect(mixedError(got.perStep, exact.perStep), note).toBeLessThan(TOLERANCE);
    expect(mixedError(got.logProb, exact.logProb), note).toBeLessThan(TOLERANCE);
    for (let row = 0; row < batch; row++) {
      const sum = got.perStep.subarray(row * time, (row + 1) * time).reduce((all, value) => all + value, 0);
      expect(Math.abs(got.logProb[row]! - sum), note).toBeLessThan(1e-5 * (1 + Math.abs(sum)));
    }
  });

  test('contexts are the outputs of a plain recurrent network, one step behind', async () => {
    const [batch, time] = [3, 7];
    const x = series(batch, time);
    const given = covariatesOf(batch, time);
    const contexts = await flow.contexts(x, { time, ...given });
    const parameters = await flow.parameters();
    const type = name.startsWith('gru') ? 'gru' : 'lstm';
    const layers = Object.keys(parameters).filter((key) => key.startsWith(`${type}.weight_ih`)).length;
    const { covariates: k, dim, hidden } = flow;
    const width = flow.flow.contextDim;
    for (let row = 0; row < batch; row++) {
      const steps = rowsOf(x.subarray(row * time * dim, (row + 1) * time * dim), dim);
      const scale = steps[0]!.map((_, f) => (scaled ? steps.reduce((all, values) => all + Math.abs(values[f]!), 0) / time : 1));
      const known = given.covariates ? rowsOf(given.covariates.subarray(row * time * k, (row + 1) * time * k), k) : steps.map(() => []);
      const inputs = steps.map((_, t) => [...(t === 0 ? scale.map(() => 0) : steps[t - 1]!.map((v, f) => v / scale[f]!)), ...known[t]!]);
      const plain = plainRecurrent(type, parameters, `${type}.`, hidden, layers, inputs);
      const want = plain.flatMap((h, t) => (width > hidden ? [...h, ...known[t]!] : h));
      expect(mixedError(contexts.subarray(row * time * width, (row + 1) * time * width), want), note).toBeLessThan(TOLERANCE);
    }
  });

  test('log-densities are those of the conditional flow, step by step', async () => {
    const [batch, time] = [3, 6];
    const x = series(batch, time);
    const given = covariatesOf(batch, time);
    const { perStep } = await flow.logProb(x, { time, ...given });
    const contexts = await flow.contexts(x, { time, ...given });
    const width = flow.flow.contextDim;
    for (let row = 0; row < batch; row++) {
      const own = x.subarray(row * time * flow.dim, (row + 1) * time * flow.dim);
      const scale = Array.from({ length: flow.dim }, (_, f) =>
        scaled ? rowsOf(own, flow.dim).reduce((all, values) => all + Math.abs(values[f]!), 0) / time : 1,
      );
      const logScale = scale.reduce((all, value) => all + Math.log(value), 0);
      for (let t = 0; t < time; t++) {
        const at = row * time + t;
        const step = own.subarray(t * flow.dim, (t + 1) * flow.dim).map((value, f) => value / scale[f]!);
        const [want] = await flow.flow.logProb(step, { context: contexts.subarray(at * width, (at + 1) * width) });
        expect(Math.abs(perStep[at]! - (want! - logScale)), note).toBeLessThan(TOLERANCE * (1 + Math.abs(want!)));
      }
    }
  });

  test.each([
    [1, 1, 1],
    [3, 4, 2],
    [1, 257, 2],
  ])('continuations of %i series, %i samples, agree with float64', async (batch, samples, steps) => {
    const time = 5;
    const history = series(batch, time);
    const options = { samples, seed: 11, ...covariatesOf(batch, time), ...futureOf(batch, steps) };
    const drawn = await flow.sampleContinuation(history, steps, { time, ...options });
    expect(drawn.length).toBe(samples * batch * steps * flow.dim);
    expect(mixedError(drawn, reference.continuation(history, time, steps, options)), note).toBeLessThan(TOLERANCE);
  });

  test('the density direction takes a continuation back to the noise of its seed, row and step', async () => {
    const [batch, samples, time, steps, seed] = [2, 3, 4, 3, 2 ** 40 + 5];
    const history = series(batch, time);
    const [past, future] = [covariatesOf(batch, time), futureOf(batch, steps)];
    const drawn = await flow.sampleContinuation(history, steps, { time, samples, seed, ...past, ...future });
    const [whole, { dim, covariates: k }] = [time + steps, flow];
    const pieces = (before: Float32Array, after: Float32Array, width: number, row: number) => [
      ...before.subarray((row % batch) * time * width, ((row % batch) + 1) * time * width),
      ...after.subarray(row * steps * width, (row + 1) * steps * width),
    ];
    const repeated = (values: Float32Array) => Float32Array.from({ length: samples * values.length }, (_, i) => values[i % values.length]!);
    const rows = Array.from({ length: samples * batch }, (_, row) => row);
    const joined = Float32Array.from(rows.flatMap((row) => pieces(history, drawn, dim, row)));
    const known = past.covariates &&
      future.futureCovariates && {
        covariates: Float32Array.from(rows.flatMap((row) => pieces(past.covariates!, repeated(future.futureCovariates!), k, row))),
      };
    const options = { time: whole, ...(scaled && { window: time }), ...known };
    const contexts = await flow.contexts(joined, options);
    const { perStep } = await flow.logProb(joined, options);
    const width = flow.flow.contextDim;
    for (const row of rows) {
      const own = rowsOf(joined.subarray(row * whole * dim, (row + 1) * whole * dim), dim);
      const scale = own[0]!.map((_, f) => (scaled ? own.slice(0, time).reduce((all, values) => all + Math.abs(values[f]!), 0) / time : 1));
      for (let step = 0; step < steps; step++) {
        const at = row * whole + time + step;
        const x = Float32Array.from(own[time + step]!, (value, f) => value / scale[f]!);
        const { z, logDet } = await flow.flow.forward(x, { context: contexts.subarray(at * width, (at + 1) * width) });
        const noise = normalsFromBits(philox4x32([row, 0, 0, 0], keyOf(derivedSeed(seed, step)))).slice(0, dim);
        expect(mixedError(z, noise), `row ${row}, step ${step}, ${note}`).toBeLessThan(1e-5);
        const density = noise.reduce((all, value) => all - value ** 2 / 2 - Math.log(2 * Math.PI) / 2, logDet[0]!);
        const logScale = scale.reduce((all, value) => all + Math.log(value), 0);
        expect(Math.abs(perStep[at]! - (density - logScale)), note).toBeLessThan(1e-4);
      }
    }
  });

  test('a NaN spoils its series from its step on, and nothing else', async () => {
    const [batch, time, bad, at] = [5, 6, 3, 2];
    const x = series(batch, time);
    const given = covariatesOf(batch, time);
    const options = { time, ...given, ...(scaled && { window: at }) };
    const clean = await flow.logProb(x, options);
    const dirty = x.slice();
    dirty[(bad * time + at) * flow.dim + flow.dim - 1] = Number.NaN;
    const got = await flow.logProb(dirty, options);
    for (let t = at; t < time; t++) {
      expect(got.perStep[bad * time + t], `step ${t}`).toBeNaN();
      got.perStep[bad * time + t] = clean.perStep[bad * time + t]!;
    }
    expectSameBits(got.perStep, clean.perStep);
    expect(got.logProb[bad]).toBeNaN();
    got.logProb[bad] = clean.logProb[bad]!;
    expectSameBits(got.logProb, clean.logProb);

    const draws = { time, samples: 2, seed: 3, ...given, ...futureOf(batch, 2), ...(scaled && { window: at }) };
    const before = await flow.sampleContinuation(x, 2, draws);
    const after = await flow.sampleContinuation(dirty, 2, draws);
    for (let row = 0; row < 2 * batch; row++) {
      if (row % batch !== bad) continue;
      const part = [row * 2 * flow.dim, (row + 1) * 2 * flow.dim] as const;
      expect(after.subarray(...part).every(Number.isNaN)).toBe(true);
      after.set(before.subarray(...part), part[0]);
    }
    expectSameBits(after, before);
  });

  test('a NaN inside the window of a scale spoils its whole series', async () => {
    if (!scaled) return;
    const [batch, time, bad] = [3, 4, 1];
    const x = series(batch, time);
    const clean = await flow.logProb(x, { time });
    x[(bad * time + 2) * flow.dim] = Number.NaN;
    const { perStep } = await flow.logProb(x, { time });
    expect(perStep.subarray(bad * time, (bad + 1) * time).every(Number.isNaN)).toBe(true);
    perStep.set(clean.perStep.subarray(bad * time, (bad + 1) * time), bad * time);
    expectSameBits(perStep, clean.perStep);
  });

  test('save and loadTemporal give the same bits, under the same names', async () => {
    const loaded = await loadTemporal(held.gpu, await flow.save());
    const [batch, time] = [3, 5];
    const x = series(batch, time);
    const options = { time, ...covariatesOf(batch, time) };
    expectSameBits((await loaded.logProb(x, options)).perStep, (await flow.logProb(x, options)).perStep);
    const draws = { ...options, ...futureOf(batch, 3), samples: 4, seed: 8 };
    expectSameBits(await loaded.sampleContinuation(x, 3, draws), await flow.sampleContinuation(x, 3, draws));
    const [names, same] = [await flow.parameters(), await loaded.parameters()];
    expect(Object.keys(same)).toEqual(Object.keys(names));
    for (const [key, { shape, data }] of Object.entries(names)) {
      expect(same[key]!.shape).toEqual(shape);
      expectSameBits(same[key]!.data, data);
    }
    loaded.dispose();
  });

  test('chunks change no bit', async () => {
    const small = Gpu.from(held.gpu.device, { maxRowsPerChunk: 64 });
    const chunked = await loadTemporal(small, await flow.save());
    const [batch, time, steps] = [150, 3, 2];
    const x = series(batch, time);
    const options = { time, ...covariatesOf(batch, time) };
    const [got, want] = [await chunked.logProb(x, options), await flow.logProb(x, options)];
    expectSameBits(got.perStep, want.perStep);
    expectSameBits(got.logProb, want.logProb);
    expectSameBits(await chunked.contexts(x, options), await flow.contexts(x, options));
    const draws = { ...options, ...futureOf(batch, steps), samples: 3, seed: 8 };
    expectSameBits(await chunked.sampleContinuation(x, steps, draws), await flow.sampleContinuation(x, steps, draws));
    chunked.dispose();
    small.dispose();
  });

  test('series from the beginning are continuations of nothing', async () => {
    const [count, time, seed] = [70, 3, 5];
    const one = covariatesOf(1, time); // one for all draws
    const drawn = await flow.sample(count, { time, seed, ...one });
    expectSameBits(await flow.sample(count, { time, seed, ...one }), drawn);
    expectSameBits(await flow.sample(7, { time, seed, ...one }), drawn.subarray(0, 7 * time * flow.dim));
    const { covariates } = one;
    const each = covariates && {
      covariates: Float32Array.from({ length: count * covariates.length }, (_, i) => covariates[i % covariates.length]!),
    };
    expectSameBits(await flow.sample(count, { time, seed, ...each }), drawn);
    if (scaled) return; // the scale of draws from nothing is 1, that of a given series is not
    const contexts = await flow.contexts(drawn, { time, ...each });
    const { z } = await stepFlow(flow).forward(drawn, { context: contexts });
    for (let row = 0; row < count; row++)
      for (let t = 0; t < time; t++) {
        const noise = normalsFromBits(philox4x32([row, 0, 0, 0], keyOf(derivedSeed(seed, t)))).slice(0, flow.dim);
        const at = row * time + t;
        expect(mixedError(z.subarray(at * flow.dim, (at + 1) * flow.dim), noise), note).toBeLessThan(1e-5);
      }
  });
});

describe('by hand', () => {
  const x = Float32Array.of(Math.atanh(0.5), 0, -1);

  test('one LSTM unit, whose log-density is that of a normal around its state', async () => {
    // i = sigmoid(ln 3) = 3/4, f = sigmoid(0) = 1/2, o = sigmoid(-ln 3) = 1/4, g = tanh(x): c goes 0, 3/4 · 1/2, 1/2 · 3/8.
    const weights = stateDict(
      {
        weight_ih_l0: [
          [4, 1],
          [0, 0, 1, 0],
        ],
        weight_hh_l0: [
          [4, 1],
          [0, 0, 0, 0],
        ],
        bias_ih_l0: [[4], [Math.log(3), 0, 0, 0]],
        bias_hh_l0: [[4], [0, 0, 0, -Math.log(3)]],
      },
      shiftByState,
    );
    const flow = await importTemporal(held.gpu, oneUnit, weights);
    const h = [0, Math.tanh(3 / 8) / 4, Math.tanh(3 / 16) / 4];
    expect(mixedError(await flow.contexts(x, { time: 3 }), h)).toBeLessThan(1e-6);
    const { perStep } = await flow.logProb(x, { time: 3 });
    const want = h.map((mean, t) => -((x[t]! - mean) ** 2) / 2 - Math.log(2 * Math.PI) / 2);
    expect(mixedError(perStep, want)).toBeLessThan(1e-6);
    flow.dispose();
  });

  test('one GRU unit without biases', async () => {
    // r = z = 1/2. n = tanh(x + h/2 · 2) with W_hn = 2; h' = (n + h) / 2: h goes 0, 1/4, (tanh(1/4) + 1/4) / 2.
    const weights = stateDict(
      {
        weight_ih_l0: [
          [3, 1],
          [0, 0, 1],
        ],
        weight_hh_l0: [
          [3, 1],
          [0, 0, 2],
        ],
      },
      shiftByState,
    );
    const flow = await importTemporal(held.gpu, { ...oneUnit, cell: { ...oneUnit.cell, type: 'gru' } }, weights);
    expect(mixedError(await flow.contexts(x, { time: 3 }), [0, 1 / 4, (Math.tanh(1 / 4) + 1 / 4) / 2])).toBeLessThan(1e-6);
    flow.dispose();
  });

  test('mean scaling is a change of variables with a constant, and a feature of zeros is left alone', async () => {
    const plain = await temporalMaf(held.gpu, { dim: 2, hidden: 4, flow: { layers: 2, hidden: [8] }, seed: 9 });
    const scaled = await temporalMaf(held.gpu, { dim: 2, hidden: 4, flow: { layers: 2, hidden: [8] }, seed: 9, scaling: 'mean' });
    const steps = Float32Array.of(3, 0, -1, 0, 8, 5); // means of |x| over two steps: 2 and 0
    const divided = steps.map((value, i) => (i % 2 === 0 ? value / 2 : value));
    const [got, want] = [await scaled.logProb(steps, { time: 3, window: 2 }), await plain.logProb(divided, { time: 3 })];
    expect(
      mixedError(
        got.perStep,
        want.perStep.map((value) => value - Math.LN2),
      ),
    ).toBeLessThan(1e-6);
    const options = { time: 3, seed: 4, samples: 5 };
    const [drawn, inUnits] = [
      await scaled.sampleContinuation(steps, 2, { ...options, window: 2 }),
      await plain.sampleContinuation(divided, 2, options),
    ];
    expect(
      mixedError(
        drawn,
        inUnits.map((value, i) => (i % 2 === 0 ? 2 * value : value)),
      ),
    ).toBeLessThan(1e-5);
    expectSameBits(await scaled.sample(9, { time: 3, seed: 4 }), await plain.sample(9, { time: 3, seed: 4 }));
    plain.dispose();
    scaled.dispose();
  });
});

test('draws of the first step follow the conditional density', async () => {
  const flow = await temporalMaf(held.gpu, { dim: 1, hidden: 6, flow: { layers: 2, hidden: [8] }, seed: 6 });
  const [count, cells, time] = [40_000, 60, 4];
  const history = random.normals(time, 2);
  const draws = await flow.sampleContinuation(history, 1, { time, samples: count, seed: random.integer(2 ** 31) });
  // Candidates for x_T given the history: many series that differ in their last step.
  const [low, high, inside] = [-6, 6, 8];
  const points = Array.from({ length: cells * inside }, (_, i) => low + ((i + 0.5) * (high - low)) / (cells * inside));
  const joined = Float32Array.from(points.flatMap((point) => [...history, point]));
  const { perStep } = await flow.logProb(joined, { time: time + 1 });
  const expected = new Float64Array(cells);
  for (let i = 0; i < points.length; i++)
    expected[Math.floor(i / inside)]! += (count * Math.exp(perStep[i * (time + 1) + time]!) * (high - low)) / (cells * inside);
  const observed = new Float64Array(cells);
  for (const draw of draws) observed[Math.floor(((draw - low) / (high - low)) * cells)]!++;
  let [chiSquare, used, covered] = [0, 0, 0];
  for (const [cell, mean] of expected.entries()) {
    if (mean < 10) continue;
    used++;
    covered += mean;
    chiSquare += (observed[cell]! - mean) ** 2 / mean;
  }
  expect(covered / count, note).toBeGreaterThan(0.95);
  expect(chiSquare, `${used} cells, ${note}`).toBeLessThan(used + 5 * Math.sqrt(2 * used));
  flow.dispose();
});

test('steps and seeds draw apart', async () => {
  const seen = new Set<number>();
  for (let seed = 0; seed < 40; seed++) for (let step = 0; step < 40; step++) seen.add(derivedSeed(seed, step));
  for (const seed of [2 ** 32, 2 ** 53 - 1]) for (const step of [0, 2 ** 31]) seen.add(derivedSeed(seed, step));
  expect(seen.size).toBe(1604);
  for (const value of seen) expect(Number.isSafeInteger(value) && value >= 0 && value < 2 ** 53).toBe(true);
});

test('the flow of a step may come from a PyTorch library', async () => {
  const golden = await loadGolden('zuko-maf-context-d6');
  const step = await importTorch(held.gpu, golden.description, golden.weights);
  const { hidden, dim } = { hidden: step.contextDim, dim: step.dim };
  const around = await temporal(held.gpu, { flow: step, cell: 'gru', lstmLayers: 2, seed: 3 });
  const x = random.normals(2 * 4 * dim);
  const { perStep } = await around.logProb(x, { time: 4 });
  const contexts = await around.contexts(x, { time: 4 });
  expect(mixedError(perStep, await step.logProb(x, { context: contexts })), note).toBeLessThan(TOLERANCE);
  // The same once more by names: the network's prefix and the flow's are the caller's.
  const tensors = await around.parameters();
  const { tensors: own } = readSafetensors(golden.weights);
  const recurrent = Object.entries(tensors).filter(([name]) => name.startsWith('gru.'));
  const weights = stateDict(Object.fromEntries(recurrent.map(([name, { shape, data }]) => [name.slice(4), [shape, [...data]]])), own);
  const description = {
    version: 1,
    features: dim,
    cell: { type: 'gru', hidden, layers: 2, prefix: 'rnn' },
    flow_prefix: 'step',
    flow: golden.description,
  };
  const imported = await importTemporal(held.gpu, description, weights);
  expectSameBits((await imported.logProb(x, { time: 4 })).perStep, perStep);
  expect(Object.keys(await imported.parameters()).slice(0, 2)).toEqual(['rnn.weight_ih_l0', 'rnn.weight_hh_l0']);
  for (const each of [step, around, imported]) each.dispose();
});
