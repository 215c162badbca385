// Batch norm between layers while a flow trains: statistics of the rows, gradients through them, and the running ones.

import { describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { recordOutput } from '../../src/flows/task.js';
import { fit, maf, realNVP, ValueError } from '../../src/index.js';
import type { Program } from '../../src/runtime/program.js';
import { Recorder } from '../../src/runtime/recorder.js';
import { recordFlatGradient, recordOwnDensity } from '../../src/training/gradients.js';
import { modelOf } from '../../src/training/model.js';
import { flatStatistics, statisticsOf } from '../../src/training/statistics.js';
import { flatParameters, layoutOf, recordTrainable } from '../../src/training/trainable.js';
import { runProgram } from '../reference/run.js';
import { download, empty, submitted, upload } from '../support/buffers.js';
import { useGpu } from '../support/gpu.js';
import { withNormsInside } from '../support/norms-inside.js';
import { type Differentiable, worstDifference } from '../support/parameter-gradients.js';
import { perturbed } from '../support/perturbed.js';
import { freshSeed, Random } from '../support/random.js';

const held = useGpu();

const make = async (scale = 0.1) =>
  (await perturbed(held.gpu, maf(held.gpu, { dim: 3, layers: 3, hidden: [8], batchNorm: true, seed: 1 }), scale)) as GpuFlow;

/** Flows with norms between layers and inside nets. */
const normed: Readonly<Record<string, () => Promise<GpuFlow>>> = {
  'between layers': make,
  'in residual blocks': () => withNormsInside(held.gpu, maf(held.gpu, { dim: 3, layers: 2, hidden: [8, 8], residual: true, seed: 2 })),
  'in front of layers': () =>
    withNormsInside(held.gpu, maf(held.gpu, { dim: 3, layers: 2, hidden: [8, 8], activation: 'tanh', degrees: 'random', seed: 3 })),
};

/** The loss of all rows at once under their own statistics, in float64. */
function batchDifferentiable(flow: GpuFlow, x: Float32Array): Differentiable & { readonly program: Program } {
  const layout = layoutOf(modelOf(flow));
  const statistics = statisticsOf(modelOf(flow));
  const r = new Recorder('flow');
  const trainable = recordTrainable(r, modelOf(flow), layout, recordOwnDensity, { statistics: { layout: statistics, from: 'rows' } });
  recordOutput(r, 'logProb', trainable.ends.logProb);
  recordFlatGradient(r, trainable.ends.logProb, trainable, layout.count, -1, r.external('gradient', 0));
  const program = r.finish();
  const evaluate = (parameters: Float64Array = Float64Array.from(flatParameters(modelOf(flow), layout))) => {
    const { logProb, gradient } = runProgram(program, {
      rows: x.length / flow.dim,
      externals: {
        x: Float64Array.from(x),
        parameters,
        statistics: Float64Array.from(flatStatistics(modelOf(flow), statistics)),
        gradient: new Float64Array(layout.count),
      },
    });
    return { loss: -logProb!.reduce((sum, value) => sum + value, 0), gradient: gradient! };
  };
  return { program, evaluate, loss: (parameters) => evaluate(parameters).loss };
}

const moments = (column: Float32Array) => {
  const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
  return { mean, variance: column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (column.length - 1) };
};

describe('batch norm that trains', () => {
  test.each(Object.entries(normed))('gradients pass through the statistics of the rows, in float64, %s', async (_, flowOf) => {
    const random = new Random(freshSeed());
    const flow = await flowOf();
    const x = random.normals(3 * 9);
    const { worst, place } = worstDifference(flow, batchDifferentiable(flow, x), random, 40);
    expect(worst, `${place}, VITE_TEST_SEED=${random.seed}`).toBeLessThan(1e-6);
  });

  const steps = Object.entries(normed).flatMap(([place, flowOf]) => [50, 200].map((rows) => ({ place, flowOf, rows })));
  test.each(steps)('a step on the device follows that gradient, $rows rows, $place', async ({ rows, flowOf }) => {
    const random = new Random(freshSeed());
    const flow = await flowOf();
    const x = random.normals(3 * rows);
    const { gradient, loss } = batchDifferentiable(flow, x).evaluate();
    const before = flatParameters(modelOf(flow), layoutOf(modelOf(flow)));
    const rate = 1e-2;
    const options = { steps: 1, batch: rows, learningRate: rate, optimiser: 'sgd', schedule: 'constant', clipNorm: 1e9 } as const;
    const result = await fit(flow, x, options);
    expect(Math.abs(result.loss - loss / rows)).toBeLessThan(1e-4);
    const after = flatParameters(modelOf(flow), layoutOf(modelOf(flow)));
    let worst = 0;
    for (const [i, value] of after.entries()) worst = Math.max(worst, Math.abs((before[i]! - value) / rate - gradient[i]! / rows));
    // A step of 1e-2 of a parameter of size 1 is known to 1e-5 of the gradient.
    expect(worst, `VITE_TEST_SEED=${random.seed}`).toBeLessThan(1e-4);
  });

  test.each(Object.entries(normed))(
    'pieces of a batch have statistics each of their own, and their gradients add up, %s',
    async (_, flowOf) => {
      const random = new Random(freshSeed());
      const flow = await flowOf();
      const model = modelOf(flow);
      const x = random.normals(3 * 128, 2);
      const halves = [x.subarray(0, 3 * 64), x.subarray(3 * 64)].map((half) => batchDifferentiable(flow, half).evaluate().gradient);
      const { device } = held.gpu;
      const residents = held.gpu.residents('test');
      const executable = await held.gpu.compile(batchDifferentiable(flow, x).program, residents);
      const externals = {
        x: upload(device, x),
        parameters: upload(device, flatParameters(model, layoutOf(model))),
        statistics: upload(device, Float32Array.from(flatStatistics(model, statisticsOf(model)))),
        logProb: empty(device, 4 * 128),
        gradient: empty(device, 4 * layoutOf(model).count),
      };
      submitted(device, (encoder) => executable.encode(encoder, { rows: 128, rowsAtOnce: 64, externals }));
      const got = await download(device, externals.gradient);
      let worst = 0;
      for (const [i, value] of got.entries()) {
        const want = halves[0]![i]! + halves[1]![i]!;
        worst = Math.max(worst, Math.abs(value - want) / (1 + Math.abs(want)));
      }
      expect(worst, `VITE_TEST_SEED=${random.seed}`).toBeLessThan(1e-3);
      for (const buffer of Object.values(externals)) buffer.destroy();
      residents.dispose();
    },
  );

  test('running statistics follow those of the rows, a tenth each step', async () => {
    const random = new Random(3);
    const x = Float32Array.from({ length: 3 * 100 }, (_, i) => (i % 3) * 4 + 2 * random.normal());
    const flow = (await maf(held.gpu, { dim: 3, layers: 2, hidden: [8], batchNorm: true, seed: 1 })) as GpuFlow;
    const [first] = statisticsOf(modelOf(flow)).norms;
    const [meanName, varianceName] = first!.names;
    await fit(flow, x, { steps: 5, batch: 100, learningRate: 1e-12, initialise: false, schedule: 'constant' });
    // What enters the first norm: the layers before it, unchanged by steps this small.
    const { bijector, state } = flow.parts;
    const layers = (bijector as unknown as { layers: { name: string }[] }).layers;
    const at = layers.findIndex(({ name }) => name === 'batch-norm');
    expect(at).toBeGreaterThan(0);
    const before = await maf(held.gpu, { dim: 3, layers: 1, hidden: [8], seed: 1 });
    const { z } = await before.forward(x);
    const share = 1 - 0.9 ** 5;
    for (const f of [0, 1, 2]) {
      const { mean, variance } = moments(z.filter((_, i) => i % 3 === f));
      expect(Math.abs((state.tensors.get(meanName)!.data[f] as number) - share * mean)).toBeLessThan(1e-3);
      expect(Math.abs((state.tensors.get(varianceName)!.data[f] as number) - (1 - share + share * variance))).toBeLessThan(
        1e-3 * (1 + variance),
      );
    }
  });

  test('running statistics inside a net follow those of its units, each its own', async () => {
    const random = new Random(8);
    const x = random.normals(3 * 100, 2);
    const fresh = maf(held.gpu, { dim: 3, layers: 1, hidden: [6, 6], activation: 'tanh', seed: 5 });
    const flow = await withNormsInside(held.gpu, fresh, null);
    const { data: weight } = Object.entries(await flow.parameters()).find(([name]) => name.endsWith('initial_layer.weight'))![1];
    const { data: bias } = Object.entries(await flow.parameters()).find(([name]) => name.endsWith('initial_layer.bias'))![1];
    await fit(flow, x, { steps: 5, batch: 100, learningRate: 1e-12, schedule: 'constant' });
    const [pair] = modelOf(flow).norms;
    const [means, variances] = pair!.map((name) => flow.parts.state.tensors.get(name)!.data as Float32Array);
    const share = 1 - 0.9 ** 5;
    // Of the units by what the file calls them: the plan sorts them by what they wait for.
    for (let unit = 0; unit < 6; unit++) {
      const column = Float32Array.from({ length: 100 }, (_, row) =>
        Math.tanh([0, 1, 2].reduce((sum, f) => sum + weight[3 * unit + f]! * x[3 * row + f]!, bias[unit]!)),
      );
      const { mean, variance } = moments(column);
      expect(Math.abs(means![unit]! - share * mean)).toBeLessThan(1e-5);
      expect(Math.abs(variances![unit]! - (1 - share + share * variance))).toBeLessThan(1e-5);
    }
  });

  test.each([
    ['between layers', () => make(0.02)],
    [
      'in residual blocks',
      () => withNormsInside(held.gpu, maf(held.gpu, { dim: 3, layers: 2, hidden: [8, 8], residual: true, seed: 1 }), null),
    ],
  ] as const)('held-out rows are measured as the trained flow scores them, with the best statistics, %s', async (_, flowOf) => {
    const random = new Random(4);
    const x = Float32Array.from({ length: 3 * 600 }, (_, i) => (i % 3) + (1 + (i % 3)) * random.normal());
    const flow = await flowOf();
    const held = x.slice(0, 3 * 200);
    const { loss } = await fit(flow, x.slice(3 * 200), { steps: 60, batch: 64, learningRate: 5e-3, validation: held });
    const scored = -(await flow.logProb(held)).reduce((sum, value) => sum + value, 0) / 200;
    expect(Math.abs(scored - loss)).toBeLessThan(1e-4);
    // N(f, (1 + f)²): 3 · 1.419 + log 6.
    expect(loss).toBeLessThan(4.257 + Math.log(6) + 0.3);
  });

  test('keeps running statistics where asked, and needs two rows', async () => {
    const x = new Random(5).normals(3 * 100);
    const flow = await make();
    const names = statisticsOf(modelOf(flow)).norms.flatMap((norm) => [...norm.names]);
    const of = () => names.map((name) => Array.from(flow.parts.state.tensors.get(name)!.data as Float32Array));
    const before = of();
    await fit(flow, x, { steps: 3, batch: 50, batchStatistics: false, initialise: false });
    expect(of()).toEqual(before);
    await fit(flow, x, { steps: 3, batch: 50, initialise: false });
    expect(of()).not.toEqual(before);
    await expect(fit(flow, x, { steps: 3, batch: 1 })).rejects.toThrow(ValueError);
    const plain = await realNVP(held.gpu, { dim: 3, layers: 2, hidden: [8] });
    await fit(plain, x, { steps: 2, batch: 1 });
  });

  test.each(Object.entries(normed))('a run goes on from its state to the same bits, %s', async (_, flowOf) => {
    const x = new Random(6).normals(3 * 300);
    const options = { steps: 20, batch: 50, learningRate: 1e-2, validation: 0.2, validateEvery: 4 } as const;
    const whole = await flowOf();
    await fit(whole, x, options);
    let saved: Uint8Array | null = null;
    await fit(await flowOf(), x, {
      ...options,
      onProgress: async ({ step, state }) => {
        if (step >= 7) saved ??= await state();
      },
    });
    const second = await flowOf();
    await fit(second, x, { ...options, resume: saved! });
    expect(await second.save()).toEqual(await whole.save());
  });
});
