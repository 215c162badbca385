// Residual layers turned round: gradients through the solve, by parameters, by x and by the context, and what trains by them.

import { describe, expect, test } from 'vitest';
import { Inverse } from '../../src/flows/bijectors/chain.js';
import { GpuFlow } from '../../src/flows/flow.js';
import { TensorWriter } from '../../src/flows/recipes/initial.js';
import { readSafetensors, writeSafetensors } from '../../src/format/safetensors.js';
import { decoder, fitTarget, importTorch, type ResidualOptions, residual, variational } from '../../src/index.js';
import { modelOf } from '../../src/training/model.js';
import { recordScore } from '../../src/training/record-score.js';
import { layoutOf } from '../../src/training/trainable.js';
import { runProgram } from '../reference/run.js';
import { CORRELATED_NORMAL, LOG_Z } from '../support/correlated-normal.js';
import { loadGolden } from '../support/golden.js';
import { useGpu } from '../support/gpu.js';
import { differentiable, worstDifference } from '../support/parameter-gradients.js';
import { perturbed } from '../support/perturbed.js';
import { freshSeed, Random } from '../support/random.js';
import { ReferenceFlow } from '../support/reference-flow.js';

const held = useGpu();

/** The flow whose density is the other one's way to sample. */
function turned(flow: GpuFlow): GpuFlow {
  const { gpu, bijector, base, state } = flow.parts;
  return new GpuFlow(gpu, new Inverse(bijector), base, {
    ...state,
    assemble: (...given) => {
      const own = state.assemble(...given);
      return { ...own, bijector: new Inverse(own.bijector) };
    },
  });
}

const make = (options: Partial<ResidualOptions>) => async () =>
  turned((await perturbed(held.gpu, residual(held.gpu, { dim: 3, layers: 2, hidden: [9, 7], seed: 1, ...options }))) as GpuFlow);

const inverses: Readonly<Record<string, () => Promise<GpuFlow>>> = {
  'lipswish, exact': make({}),
  'elu, a fixed point, context': make({ activation: 'elu', inverse: 'fixed-point', contextDim: 2 }),
  'tanh, without ActNorm, one layer': make({ activation: 'tanh', actNorm: false, layers: 1, hidden: [8] }),
  'one linear layer as it stands, context': async () => {
    const writer = new TensorWriter(5);
    writer.linear('a', 3, 3);
    writer.linear('c', 2, 3);
    for (const { data } of writer.tensors.values()) (data as Float32Array).set((data as Float32Array).map((value) => value / 4));
    const net = { type: 'masked_mlp', linears: ['a'], activation: 'tanh', context_proj: 'c' };
    const description = {
      features: 3,
      context_features: 2,
      base: { type: 'standard_normal' },
      structure_direction: 'density',
      structure: [{ op: 'residual', net }],
    };
    return turned((await importTorch(held.gpu, description, writeSafetensors(writer.tensors, {}))) as GpuFlow);
  },
  'series over unit vectors': make({ logDet: { series: 4, probe: 'unit' } }),
  'roulette, two probes': make({ logDet: { roulette: 'geometric', probes: 2, terms: 10 }, dim: 2 }),
  // lipswish stands before the first layer too, and singular vectors are stored.
  normflows: async () => {
    const { description, weights } = await loadGolden('normflows-residual-d2');
    const two = (description.structure as object[]).slice(0, 2);
    const named = JSON.stringify(two);
    const { tensors } = readSafetensors(weights);
    const used = [...tensors].filter(
      ([name]) =>
        name.startsWith('q0') || [...named.matchAll(/"((?:flows|_?transform)[^"]*?\.\d+)\./g)].some(([, own]) => name.startsWith(own!)),
    );
    return turned((await importTorch(held.gpu, { ...description, structure: two }, writeSafetensors(used))) as GpuFlow);
  },
};

describe.each(Object.entries(inverses))('%s', (_, flowOf) => {
  const random = new Random(freshSeed());
  const note = `VITE_TEST_SEED=${random.seed}`;
  const given = (flow: GpuFlow, rows: number) => ({
    x: random.normals(rows * flow.dim),
    context: flow.contextDim > 0 ? random.normals(rows * flow.contextDim) : undefined,
  });

  test('by parameters, agrees with central differences in float64', async () => {
    const flow = await flowOf();
    const { x, context } = given(flow, 3);
    const own = differentiable(flow, x, context);
    const { worst, place } = worstDifference(flow, own, random, 40);
    expect(worst, `${place}, ${note}`).toBeLessThan(1e-6);
    const density = new ReferenceFlow(flow).logProb(x, context).reduce((sum, value) => sum + value, 0);
    expect(Math.abs(own.evaluate().loss + density) / (1 + Math.abs(density)), note).toBeLessThan(1e-6);
  });

  test('by parameters, the device agrees with float64', async () => {
    const flow = await flowOf();
    const { x, context } = given(flow, 67);
    const exact = differentiable(flow, x, context).evaluate();
    const { loss, gradients } = await flow.gradients(x, context ? { context } : {});
    expect(Math.abs(loss - exact.loss / 67) / (1 + Math.abs(loss)), note).toBeLessThan(1e-5);
    for (const { name, from, length } of layoutOf(modelOf(flow)).tensors) {
      const want = exact.gradient.subarray(from, from + length).map((value) => value / 67);
      const scale = 1e-3 + Math.sqrt(want.reduce((sum, value) => sum + value * value, 0) / length);
      for (const [i, value] of gradients[name]!.entries())
        expect(Math.abs(value - want[i]!), `${name}, ${note}`).toBeLessThan(1e-3 * scale);
    }
  });

  test('by x, agrees with central differences in float64', async () => {
    const flow = await flowOf();
    const rows = 5;
    const { x, context } = given(flow, rows);
    const { score } = runProgram(recordScore(flow), {
      rows,
      externals: { x: Float64Array.from(x), ...(context && { context: Float64Array.from(context) }) },
    });
    const reference = new ReferenceFlow(flow);
    for (let f = 0; f < flow.dim; f++) {
      // The same feature of every row: the noise of a roulette is that of a row's number.
      const at = (step: number) =>
        reference.logProb(
          Float64Array.from(x, (value, i) => (i % flow.dim === f ? value + step : value)),
          context,
        );
      const [up, down] = [at(1e-6), at(-1e-6)];
      for (let row = 0; row < rows; row++) {
        const numeric = (up[row]! - down[row]!) / 2e-6;
        expect(Math.abs(score![row * flow.dim + f]! - numeric) / (1 + Math.abs(numeric)), `row ${row}, ${note}`).toBeLessThan(1e-6);
      }
    }
  });
});

describe('what trains by it', () => {
  test('reverse KL to a correlated normal', async () => {
    const flow = await residual(held.gpu, { dim: 2, layers: 3, hidden: [12], seed: 1 });
    const { loss, logZ, efficiency } = await fitTarget(flow, { wgsl: CORRELATED_NORMAL }, { steps: 150, batch: 64, learningRate: 2e-2 });
    expect(Math.abs(loss + LOG_Z)).toBeLessThan(0.03);
    expect(Math.abs(logZ - LOG_Z)).toBeLessThan(0.03);
    expect(efficiency).toBeGreaterThan(0.9);
  });

  test('the posterior of an autoencoder', async () => {
    const random = new Random(9);
    const bits = Float32Array.from({ length: 6 * 400 }, (_, i) => (random.uniform() < (i % 6 < 3 ? 0.2 : 0.8) ? 1 : 0));
    const posterior = await residual(held.gpu, { dim: 2, contextDim: 6, layers: 2, hidden: [12], seed: 1 });
    const model = await variational({ posterior, decoder: await decoder(held.gpu, { dim: 6, contextDim: 2, hidden: [12], seed: 2 }) });
    const mean = async () => (await model.bound(bits, { seed: 3 })).reduce((sum, value) => sum + value, 0) / 400;
    const before = await mean();
    await model.fit(bits, { steps: 80, batch: 100, learningRate: 2e-2 });
    // Six independent bits of chance 0.2 have an entropy of 3.00 nats.
    expect(await mean()).toBeGreaterThan(-3.15);
    expect(before).toBeLessThan(-3.6);
  });
});
