// `recompute`: inputs of layers rebuilt from their outputs on the way back. The gradient is held to the one that keeps them, and memory to depth.

import { describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { type FitOptions, type Flow, fit, fitTarget, type Gpu, glow, maf, neuralSpline, realNVP, ValueError } from '../../src/index.js';
import { runOnArrays } from '../../src/runtime/run-arrays.js';
import { recordParameterGradients } from '../../src/training/gradients.js';
import { modelOf } from '../../src/training/model.js';
import type { Recompute } from '../../src/training/recompute.js';
import { flatParameters, layoutOf } from '../../src/training/trainable.js';
import { flows, type Traits } from '../flows/table.js';
import { runProgram } from '../reference/run.js';
import { useGpu } from '../support/gpu.js';
import { withNormsInside } from '../support/norms-inside.js';
import { perturbed } from '../support/perturbed.js';
import { freshSeed, Random } from '../support/random.js';

const held = useGpu();
const random = new Random(freshSeed());
const note = `VITE_TEST_SEED=${random.seed}`;

const isFrom = (first: string) => (command: { readonly label: string }) => command.label.startsWith(`${first}/`);

/** |a − b| / |a|, Euclidean. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return norm(Array.from(a, (value, i) => value - b[i]!)) / norm(Array.from(a));
}

function inputsOf(flow: GpuFlow, rows: number, { support, classes }: Traits = {}) {
  const { dim, contextDim: width } = flow;
  const layout = layoutOf(modelOf(flow));
  const x = random.normals(rows * dim).map((value) => (support ? support[0] + (support[1] - support[0]) * random.uniform() : value));
  const context = random.normals(rows * width).map((value, at) => (classes && at % width === width - 1 ? random.integer(classes) : value));
  return { layout, inputs: { x, parameters: flatParameters(modelOf(flow), layout), ...(width > 0 && { context }) } };
}

describe('in float64 the gradient is the one of kept activations', () => {
  /** How many inputs are rebuilt, by one kernel at least each; the others are kept, and what lies inside the layers runs again. */
  const table: Readonly<Record<string, 'rebuilt' | 'kept'>> = {
    'realNVP D 5, lu': 'rebuilt',
    'realNVP D 5, random permutation': 'rebuilt',
    'realNVP D 2, unit support, context': 'rebuilt',
    'nice D 5, context': 'rebuilt',
    'nice D 5, householder': 'rebuilt',
    'neuralSpline D 2, circular': 'rebuilt',
    'glow 2×4×4, context': 'rebuilt',
    'glow 1×2×2, additive, matrix': 'rebuilt',
    'imageRealNVP 3×4×4': 'rebuilt',
    'split of 5, twice': 'rebuilt',
    'maf D 2': 'rebuilt',
    'maf D 5, mixture in all, batch norm': 'rebuilt',
    'planar D 2': 'kept',
    'radial D 5, context': 'kept',
    'residual D 5, fixed point, unit series': 'kept',
  };
  for (const [name, inputs] of Object.entries(table))
    test(name, async () => {
      const { make, traits } = flows.find((entry) => entry.name === name)!;
      const flow = (await perturbed(held.gpu, make(held.gpu), 0.1)) as GpuFlow;
      const rows = 5;
      const { layout, inputs: given } = inputsOf(flow, rows, traits);
      const externals = Object.fromEntries(Object.entries(given).map(([key, values]) => [key, Float64Array.from(values)]));
      const [kept, again, often] = [false, true, 2].map((recompute) => {
        const program = recordParameterGradients(flow, layout, recompute);
        const { gradient } = runProgram(program, { rows, externals: { ...externals, gradient: new Float64Array(layout.count) } });
        return { program, gradient: gradient! };
      });
      // Splines invert to some 1e-9.
      for (const other of [again!, often!]) expect(distance(kept!.gradient, other.gradient), note).toBeLessThan(1e-6);
      expect(kept!.program.commands.some((command) => isFrom('again')(command) || isFrom('rebuilt')(command))).toBe(false);
      expect(again!.program.commands.some(isFrom('again'))).toBe(true);
      expect(again!.program.commands.some(isFrom('rebuilt'))).toBe(inputs === 'rebuilt');
      flow.dispose();
    });
});

/** The gradient of the sum over rows on the device. */
async function onDevice(flow: GpuFlow, rows: number, recompute: Recompute, { layout, inputs }: ReturnType<typeof inputsOf>) {
  const residents = held.gpu.residents('test');
  const outputs = { logProb: new Float32Array(rows), gradient: new Float32Array(layout.count) };
  const executable = await held.gpu.compile(recordParameterGradients(flow, layout, recompute), residents);
  await runOnArrays(held.gpu, executable, 'test', { rows, seed: 0, contextStride: 1, inputs, outputs });
  residents.dispose();
  return outputs.gradient;
}

describe('on the device the gradient is that of kept activations to rounding, 200 rows', () => {
  const makers: Readonly<Record<string, (gpu: Gpu, layers: number) => Promise<Flow>>> = {
    RealNVP: (gpu, layers) => realNVP(gpu, { dim: 6, layers, hidden: [16], seed: 1 }),
    'RealNVP with a context': (gpu, layers) => realNVP(gpu, { dim: 5, layers, hidden: [16], contextDim: 2, seed: 1 }),
    'LU and RealNVP': (gpu, layers) => realNVP(gpu, { dim: 5, layers, hidden: [16], linear: 'lu', seed: 1 }),
    'neural spline': (gpu, layers) => neuralSpline(gpu, { dim: 4, layers, hidden: [16], bins: 8, seed: 1 }),
    Glow: (gpu, steps) => glow(gpu, { shape: [2, 4, 4], levels: 1, steps, hidden: [8], seed: 1 }),
  };
  for (const [name, make] of Object.entries(makers))
    for (const layers of name.startsWith('LU') ? [3] : [3, 8])
      test(`${name}, ${layers} layers`, async () => {
        // Larger, and what flows do to rows is beyond float32 in either direction.
        const flow = (await perturbed(held.gpu, make(held.gpu, layers), 0.03)) as GpuFlow;
        const given = inputsOf(flow, 200);
        const kept = await onDevice(flow, 200, false, given);
        const far = distance(kept, await onDevice(flow, 200, true, given));
        expect(far, note).toBeLessThan(1e-4);
        expect(far, note).toBeGreaterThan(0);
        flow.dispose();
      });
});

const bent = (() => {
  const own = new Random(7);
  return Float32Array.from(
    Array.from({ length: 1000 }, () => own.normal()).flatMap((at) => [2 * at, 0.3 * own.normal() + Math.sin(3 * at)]),
  );
})();

/** Bytes that a training holds. */
async function bytesOf(flow: Flow, options: FitOptions): Promise<number> {
  let bytes = 0;
  await fit(flow, bent, { ...options, steps: 1, initialise: false, onProgress: () => (bytes = held.gpu.memory.usage.bytes) });
  return bytes;
}

describe('memory', () => {
  // From five layers on, slots have the sizes that they keep.
  for (const [name, make] of Object.entries({
    RealNVP: (layers: number) => realNVP(held.gpu, { dim: 2, layers, hidden: [32, 32], seed: 1 }),
    'neural spline': (layers: number) => neuralSpline(held.gpu, { dim: 2, layers, hidden: [32, 32], seed: 1 }),
  }))
    test(`of a step at depth 6 and 16 differs by the parameters: ${name}`, async () => {
      const [shallow, deep] = [await make(6), await make(16)] as GpuFlow[];
      const scratch = (flow: Flow, recompute: Recompute) =>
        recordParameterGradients(flow as GpuFlow, layoutOf(modelOf(flow as GpuFlow)), recompute).scratchBytesPerRow;
      expect(scratch(deep!, true)).toBe(scratch(shallow!, true));
      expect(scratch(deep!, false)).toBeGreaterThan(2 * scratch(shallow!, false));
      const growth = async (batch: number, recompute: boolean) => {
        const [small, large] = [await bytesOf(shallow!, { batch, recompute }), await bytesOf(deep!, { batch, recompute })];
        return large - small;
      };
      // What does not depend on the rows is parameters, and what belongs to them.
      expect(await growth(1024, true)).toBe(await growth(64, true));
      expect(await growth(1024, false)).toBeGreaterThan((await growth(64, false)) + 1e6);
      shallow!.dispose();
      deep!.dispose();
    });
});

describe('training', () => {
  const options = { steps: 200, batch: 128, learningRate: 3e-3, validation: 0.2 } as const;
  for (const [name, make] of Object.entries({
    'neural spline': () => neuralSpline(held.gpu, { dim: 2, layers: 4, hidden: [16], seed: 1 }),
    'MAF with batch norms by the rows': () => maf(held.gpu, { dim: 2, layers: 3, hidden: [16], batchNorm: true, seed: 1 }),
    'MAF with batch norms inside nets, by the rows': () =>
      withNormsInside(held.gpu, maf(held.gpu, { dim: 2, layers: 3, hidden: [16, 16], seed: 1 }), null),
  }))
    test(`reaches the loss that it reaches with activations kept: ${name}`, async () => {
      const losses = [];
      for (const recompute of [false, true, 2]) {
        const flow = await make();
        losses.push((await fit(flow, bent, { ...options, recompute })).loss);
        flow.dispose();
      }
      expect(Math.abs(losses[1]! - losses[0]!)).toBeLessThan(0.02);
      expect(Math.abs(losses[2]! - losses[0]!)).toBeLessThan(0.02);
    });

  test('towards a density, where layers run the other way', async () => {
    const target = {
      wgsl: `
        fn log_density(x: array<f32, D>) -> f32 { return -0.5 * (x[0] * x[0] + 4.0 * x[1] * x[1]); }
        fn log_density_gradient(x: array<f32, D>) -> array<f32, D> { return array<f32, D>(-x[0], -4.0 * x[1]); }`,
    };
    const results = [];
    for (const recompute of [false, true]) {
      const flow = await realNVP(held.gpu, { dim: 2, layers: 4, hidden: [8], seed: 1 });
      results.push(await fitTarget(flow, target, { steps: 100, batch: 128, learningRate: 1e-2, recompute }));
      flow.dispose();
    }
    expect(results[1]!.logZ).toBeCloseTo(results[0]!.logZ, 2);
  });

  test('refuses layers that lose their inputs, which keeping some of them mends', async () => {
    const make = () => realNVP(held.gpu, { dim: 6, layers: 12, hidden: [8], linear: 'lu', seed: 1 });
    const flow = await perturbed(held.gpu, make(), 0.2);
    const x = random.normals(6 * 100);
    const refused = fit(flow, x, { steps: 1, recompute: true });
    await expect(refused).rejects.toThrow(ValueError);
    await expect(refused).rejects.toThrow(/^fit: recompute needs inverses that give inputs back within 0.01, or a number of layers; got /);
    flow.dispose();
    const sound = await make();
    await expect(fit(sound, x, { steps: 1, recompute: 0 })).rejects.toThrow(/^fit: recompute/);
    await fit(sound, x, { steps: 1, recompute: 4 });
    sound.dispose();
  });
});
