// Variational autoencoders: gradients of the bound, what training reaches, and what the bound is to the likelihood.

import { describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { recordInput, recordOutput } from '../../src/flows/task.js';
import { decoder, type Flow, iaf, loadFlow, maf, planar, realNVP, ShapeError, ValueError, variational } from '../../src/index.js';
import { Recorder } from '../../src/runtime/recorder.js';
import { recordBound } from '../../src/training/elbo.js';
import { recordFlatGradient } from '../../src/training/gradients.js';
import { modelOfAll } from '../../src/training/model.js';
import { flatParameters, layoutOf, recordTrainable } from '../../src/training/trainable.js';
import { runProgram } from '../reference/run.js';
import { useGpu } from '../support/gpu.js';
import { perturbed } from '../support/perturbed.js';
import { freshSeed, Random } from '../support/random.js';

const held = useGpu({ ruled: false });
const DIM = 6;
const encoder = { contextDim: DIM, base: { type: 'conditional_normal', hidden: [16] } } as const;

const posteriors: Record<string, () => Promise<Flow>> = {
  iaf: () => iaf(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1, ...encoder }),
  realNVP: () => realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1, ...encoder }),
  planar: () => planar(held.gpu, { dim: 2, layers: 3, hidden: [8], seed: 1, ...encoder }),
  maf: () => maf(held.gpu, { dim: 2, layers: 1, hidden: [8], seed: 1, ...encoder }),
};

/** Two patterns of bits, each bit of which flips with probability 0.1; and the entropy, by all 64 states. */
const PATTERNS = [
  [1, 1, 1, 0, 0, 0],
  [0, 0, 1, 1, 1, 1],
];
const logP = (bits: ArrayLike<number>): number =>
  Math.log(PATTERNS.reduce((sum, pattern) => sum + 0.5 * pattern.reduce((p, bit, f) => p * (bits[f] === bit ? 0.9 : 0.1), 1), 0));
const ENTROPY = Array.from({ length: 64 }, (_, state) => logP(Array.from({ length: 6 }, (_, f) => (state >> f) & 1))).reduce(
  (sum, log) => sum - Math.exp(log) * log,
  0,
);

function bits(rows: number, seed: number): Float32Array {
  const random = new Random(seed);
  const x = new Float32Array(DIM * rows);
  for (let row = 0; row < rows; row++) {
    const pattern = PATTERNS[random.integer(2)]!;
    for (let f = 0; f < DIM; f++) x[row * DIM + f] = random.uniform() < 0.1 ? 1 - pattern[f]! : pattern[f]!;
  }
  return x;
}

const meanOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('variational', () => {
  test.each(Object.entries(posteriors))('%s: gradients of the bound agree with central differences, in float64', async (_, make) => {
    const random = new Random(freshSeed());
    const flows = {
      posterior: (await perturbed(held.gpu, make(), 0.1)) as GpuFlow,
      decoder: (await perturbed(held.gpu, decoder(held.gpu, { dim: DIM, contextDim: 2, hidden: [8] }), 0.1)) as GpuFlow,
    };
    const model = modelOfAll(flows);
    const layout = layoutOf(model);
    const r = new Recorder('vae');
    const trainable = recordTrainable(r, model, layout, (inner, layers) => recordBound(inner, layers, recordInput(inner, 'x', DIM)));
    recordOutput(r, 'bound', trainable.ends);
    recordFlatGradient(r, trainable.ends, trainable, layout.count, 1, r.external('gradient', 0));
    const program = r.finish();
    const x = Float64Array.from(bits(4, 5));
    const at = Float64Array.from(flatParameters(model, layout));
    const evaluate = (parameters: Float64Array) => {
      const externals = { x, parameters, gradient: new Float64Array(layout.count) };
      const { bound, gradient } = runProgram(program, { rows: 4, seed: 7, externals });
      return { sum: bound!.reduce((sum, value) => sum + value, 0), gradient: gradient! };
    };
    const { gradient } = evaluate(at);
    let checked = 0;
    for (let tries = 0; checked < 12 && tries < 60; tries++) {
      const index = random.integer(layout.count);
      const numeric = (h: number) => {
        const moved = (step: number) => evaluate(at.map((value, i) => (i === index ? value + step : value))).sum;
        return (moved(h) - moved(-h)) / (2 * h);
      };
      const [far, near] = [numeric(2e-5), numeric(1e-5)];
      if (Math.abs(far - near) > 1e-4 * (1 + Math.abs(near))) continue; // a kink
      checked++;
      const { name } = layout.tensors.findLast(({ from }) => from <= index)!;
      expect(Math.abs(gradient[index]! - near) / (1 + Math.abs(near)), `${name}, VITE_TEST_SEED=${random.seed}`).toBeLessThan(1e-6);
    }
    expect(checked).toBe(12);
  });

  test.each(['iaf', 'planar'])('%s: bits reach their entropy, and the bound stays below the likelihood', async (name) => {
    const [posterior, likelihood] = [await posteriors[name]!(), await decoder(held.gpu, { dim: DIM, contextDim: 2, hidden: [16] })];
    const model = await variational({ posterior, decoder: likelihood });
    const { loss, history } = await model.fit(bits(4000, 1), { steps: 700, batch: 128, learningRate: 1e-2, seed: 1 });
    expect(history.at(-1)!.loss).toBeLessThan(history[0]!.loss);
    const x = bits(1000, 2);
    const exact = meanOf(Float32Array.from({ length: 1000 }, (_, row) => logP(x.subarray(row * DIM, (row + 1) * DIM))));
    const single = meanOf(await model.bound(x, { seed: 3 }));
    const many = meanOf(await model.bound(x, { seed: 3, samples: 64 }));
    expect(many).toBeGreaterThan(single);
    expect(many).toBeLessThan(exact + 0.02);
    expect(many).toBeGreaterThan(exact - 0.1);
    expect(Math.abs(loss + single)).toBeLessThan(0.3);
    expect(ENTROPY).toBeGreaterThan(2);
    // Draws: each bit is on as often as in the data, and the patterns come apart.
    const draws = await model.sample(4000, { seed: 4 });
    const share = (data: Float32Array, f: number) =>
      data.reduce((sum, value, at) => sum + (at % DIM === f ? value : 0), 0) / (data.length / DIM);
    for (let f = 0; f < DIM; f++) expect(Math.abs(share(draws, f) - share(x, f))).toBeLessThan(0.1);
    const scored = meanOf(Float32Array.from({ length: 4000 }, (_, row) => logP(draws.subarray(row * DIM, (row + 1) * DIM))));
    // Bits drawn on their own would be at exact − 3.
    expect(scored).toBeGreaterThan(exact - 0.8);
    model.dispose();
  });

  test('normals as likelihood, held-out rows, and files of both flows', async () => {
    const random = new Random(6);
    // x = (u, u, −u) + noise: one latent says it all.
    const x = new Float32Array(3 * 3000);
    for (let row = 0; row < 3000; row++) {
      const u = 2 * random.normal();
      x.set([u + 0.3 * random.normal(), u + 0.3 * random.normal(), -u + 0.3 * random.normal()], 3 * row);
    }
    const posterior = await realNVP(held.gpu, {
      dim: 2,
      contextDim: 3,
      layers: 2,
      hidden: [8],
      base: { type: 'conditional_normal', hidden: [16] },
    });
    const likelihood = await decoder(held.gpu, { dim: 3, contextDim: 2, hidden: [16], likelihood: 'normal' });
    const model = await variational({ posterior, decoder: likelihood });
    const { loss, validation } = await model.fit(x, { steps: 500, batch: 128, learningRate: 1e-2, validation: 0.2 });
    // Entropy of N(0, 0.09 I + 4 a aᵀ) with |a|² = 3: 3/2 log 2πe + ½ log(0.09² · 12.09).
    const entropy = 1.5 * Math.log(2 * Math.PI * Math.E) + 0.5 * Math.log(0.09 ** 2 * 12.09);
    expect(validation.length).toBeGreaterThan(10);
    expect(loss).toBeGreaterThan(entropy - 0.1);
    expect(loss).toBeLessThan(entropy + 0.4);
    const again = await variational({
      posterior: await loadFlow(held.gpu, await posterior.save()),
      decoder: await loadFlow(held.gpu, await likelihood.save()),
    });
    const some = x.subarray(0, 30);
    expect(await again.bound(some, { seed: 1 })).toEqual(await model.bound(some, { seed: 1 }));
    expect(await again.sample(5, { seed: 1 })).toEqual(await model.sample(5, { seed: 1 }));
  });

  test('the same seed gives the same bits; widths that do not meet, and rows that do not fit, are errors', async () => {
    const make = async () =>
      variational({ posterior: await posteriors.iaf!(), decoder: await decoder(held.gpu, { dim: DIM, contextDim: 2 }) });
    const x = bits(100, 8);
    const [a, b] = [await make(), await make()];
    for (const model of [a, b]) await model.fit(x, { steps: 10, batch: 32, seed: 2 });
    expect(await a.bound(x, { seed: 1 })).toEqual(await b.bound(x, { seed: 1 }));
    expect(await a.bound(x, { seed: 1 })).not.toEqual(await a.bound(x, { seed: 2 }));
    await expect(a.fit(new Float32Array(5))).rejects.toThrow(ShapeError);
    await expect(a.bound(new Float32Array(5))).rejects.toThrow(ShapeError);
    expect(await a.bound(new Float32Array(0))).toEqual(new Float32Array(0));
    const posterior = await posteriors.iaf!();
    await expect(variational({ posterior, decoder: await decoder(held.gpu, { dim: 5, contextDim: 2 }) })).rejects.toThrow(
      'variational: posterior needs contextDim 5, the features of the decoder; got 6',
    );
    await expect(variational({ posterior, decoder: await decoder(held.gpu, { dim: DIM, contextDim: 3 }) })).rejects.toThrow(ValueError);
    const { bytes } = held.gpu.memory.usage;
    await a.fit(x, { steps: 2, batch: 32 });
    await a.bound(x);
    expect(held.gpu.memory.usage.bytes).toBeLessThanOrEqual(bytes);
  });
});
