// Training towards a density without data: what it reaches, and what it refuses.

import { describe, expect, test } from 'vitest';
import { CompileError, fitTarget, iaf, maf, planar, realNVP, UnsupportedError, ValueError } from '../../src/index.js';
import { CORRELATED_NORMAL, LOG_Z } from '../support/correlated-normal.js';
import { useGpu } from '../support/gpu.js';

const held = useGpu({ ruled: false });

/** A banana: x₁ bends over x₀. */
const BANANA = `
fn log_density(x: array<f32, D>) -> f32 {
  let b = x[1] - 0.5 * x[0] * x[0];
  return -0.5 * (x[0] * x[0] / 4.0 + b * b / 0.25);
}
fn log_density_gradient(x: array<f32, D>) -> array<f32, D> {
  let b = x[1] - 0.5 * x[0] * x[0];
  return array<f32, D>(-x[0] / 4.0 + 4.0 * b * x[0], -4.0 * b);
}`;

describe('fitTarget', () => {
  test.each([
    { name: 'realNVP', make: () => realNVP(held.gpu, { dim: 2, layers: 4, hidden: [16], seed: 1 }) },
    { name: 'iaf', make: () => iaf(held.gpu, { dim: 2, layers: 2, hidden: [16], seed: 1 }) },
    { name: 'maf, by its solve', make: () => maf(held.gpu, { dim: 2, layers: 2, hidden: [16], seed: 1 }) },
  ])('$name reaches a correlated normal, and its constant', async ({ make }) => {
    const flow = await make();
    const { loss, logZ, efficiency, history } = await fitTarget(
      flow,
      { wgsl: CORRELATED_NORMAL },
      { steps: 400, batch: 128, learningRate: 1e-2 },
    );
    expect(Math.abs(loss + LOG_Z)).toBeLessThan(0.02);
    expect(Math.abs(logZ - LOG_Z)).toBeLessThan(0.02);
    expect(efficiency).toBeGreaterThan(0.95);
    expect(history.at(-1)!.loss).toBeLessThan(history[0]!.loss);
    const x = await flow.sample(4000, { seed: 2 });
    const mean = (f: number) => x.reduce((sum, value, at) => sum + (at % 2 === f ? value : 0), 0) / 4000;
    expect(Math.abs(mean(0) - 1)).toBeLessThan(0.1);
    expect(Math.abs(mean(1) + 2)).toBeLessThan(0.1);
  });

  test('a planar flow bends towards a banana', async () => {
    const flow = await planar(held.gpu, { dim: 2, layers: 12, seed: 2 });
    const { loss } = await fitTarget(flow, { wgsl: BANANA }, { steps: 500, batch: 128, learningRate: 2e-2 });
    // −log Z is −log(2π · 2 · ½); a normal of the best shape stays above it by 0.7.
    expect(loss + Math.log(2 * Math.PI)).toBeLessThan(0.35);
  });

  test('a learned base trains with it, and the same seed gives the same bits', async () => {
    const train = async () => {
      const flow = await realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], base: { type: 'normal' }, seed: 3 });
      await fitTarget(flow, { wgsl: CORRELATED_NORMAL }, { steps: 30, batch: 64, learningRate: 1e-2, seed: 4 });
      return flow;
    };
    const [a, b] = [await train(), await train()];
    expect(await a.save()).toEqual(await b.save());
    const { 'base.loc': loc } = await a.parameters();
    expect(loc!.data.some((value) => value !== 0)).toBe(true);
  });

  test('a wrong gradient is told, with the place', async () => {
    const flow = await realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });
    const wrong = CORRELATED_NORMAL.replace('-(a + 3.0 * b)', '-(a + 2.0 * b)');
    await expect(fitTarget(flow, { wgsl: wrong }, { steps: 5 })).rejects.toThrow(ValueError);
    await expect(fitTarget(flow, { wgsl: wrong }, { steps: 5 })).rejects.toThrow(
      /fitTarget: log_density_gradient\[1\] needs -?[\d.e-]+ at \[.*\], by differences/,
    );
    const flat = CORRELATED_NORMAL.replace('3.0 - 0.5', '3.0 - abs(x[0]) * 1e38 * 1e38 - 0.5');
    await expect(fitTarget(flow, { wgsl: flat }, { steps: 5 })).rejects.toThrow(/log_density needs a finite number/);
  });

  test('WGSL that is none, and flows that do not fit, are errors', async () => {
    const flow = await realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });
    await expect(fitTarget(flow, { wgsl: 'fn log_density(x: array<f32, D>) -> f32 { return 0.0; }' })).rejects.toThrow(
      'fitTarget: wgsl needs fn log_density_gradient',
    );
    await expect(fitTarget(flow, {} as never)).rejects.toThrow(ValueError);
    await expect(fitTarget(flow, { wgsl: CORRELATED_NORMAL.replace('3.0 -', 'three -') })).rejects.toThrow(CompileError);
    await expect(fitTarget(flow, { wgsl: CORRELATED_NORMAL.replace('3.0 -', 'three -') })).rejects.toThrow(/three/);
    const conditional = await realNVP(held.gpu, { dim: 2, layers: 2, hidden: [8], contextDim: 1 });
    await expect(fitTarget(conditional, { wgsl: CORRELATED_NORMAL })).rejects.toThrow(UnsupportedError);
    const { gpu } = held;
    await fitTarget(flow, { wgsl: CORRELATED_NORMAL }, { steps: 3 });
    const { bytes } = gpu.memory.usage;
    await fitTarget(flow, { wgsl: CORRELATED_NORMAL }, { steps: 3 });
    expect(gpu.memory.usage.bytes).toBe(bytes);
  });
});
