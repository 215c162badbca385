// Flows with weights in float16: the same numbers as float32 gives for the rounded weights, in files of half the size.

import { beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/format/safetensors.js';
import { type Flow, importTorch, loadFlow, loadTemporal, mademog, maf, neuralSpline, realNVP, temporalMaf } from '../../src/index.js';
import type { Gpu } from '../../src/runtime/gpu.js';
import { loadGolden } from '../support/golden.js';
import { useGpu } from '../support/gpu.js';
import { perturbed } from '../support/perturbed.js';

const held = useGpu();

const recipes: Record<string, (gpu: Gpu) => Promise<Flow>> = {
  maf: (gpu) => maf(gpu, { dim: 5, layers: 2, hidden: [100, 100], seed: 3, contextDim: 2 }),
  realNVP: (gpu) => realNVP(gpu, { dim: 5, layers: 2, hidden: [100, 100], seed: 3 }),
  neuralSpline: (gpu) => neuralSpline(gpu, { dim: 3, layers: 2, hidden: [30], type: 'autoregressive', seed: 3 }),
  mademog: (gpu) => mademog(gpu, { dim: 3, hidden: [30], components: 3, seed: 3 }),
};

async function numbersOf(flow: Flow) {
  const context = flow.contextDim > 0 ? { context: Float32Array.of(0.3, -1) } : {};
  const { x, logProb } = await flow.sampleWithLogProb(70, { seed: 1, ...context });
  return { x, logProb, density: await flow.logProb(x, context) };
}

const kernelsOf = (flow: Flow): string[] => {
  const [owner] = [...held.gpu.owners].slice(-1);
  expect(flow.dim).toBeGreaterThan(0);
  return [...owner!.executables].flatMap(({ program }) => program.commands.map(({ kernel }) => kernel.source.name));
};

// Layers in float16 are not fused, and fused ones sum in another order.
beforeAll(async () => {
  await held.gpu.choices.ready();
  held.gpu.choices.fuse = (recorded) => recorded;
});

describe('weights in float16', () => {
  test.each(Object.entries(recipes))('%s', async (_, make) => {
    const { gpu } = held;
    const flow = await perturbed(gpu, await make(gpu), 0.1);
    const whole = await flow.save();
    const file = await flow.save({ weights: 'float16' });
    expect(file.length).toBeLessThan(0.7 * whole.length);
    // The rounded weights, as float32 numbers.
    const { tensors, metadata } = readSafetensors(file);
    const narrow = await loadFlow(gpu, file);
    const got = await numbersOf(narrow);
    const kernels = kernelsOf(narrow);
    expect(kernels.filter((name) => name.endsWith('-half')).length).toBeGreaterThan(0);
    expect(kernels).not.toContain('masked-linear');
    const wide = await loadFlow(gpu, await narrow.save({ weights: 'float32' }));
    expect(await numbersOf(wide)).toEqual(got); // the same bits
    expect(kernelsOf(wide).some((name) => name.endsWith('-half'))).toBe(false);
    // Saved as it was read.
    expect(await narrow.save()).toEqual(file);
    expect(writeSafetensors(tensors, metadata)).toEqual(file);
    // What rounding costs.
    const exact = await numbersOf(flow);
    for (const [i, value] of got.density.entries()) expect(Math.abs(value - exact.density[i]!)).toBeLessThan(1);
    expect(
      (await narrow.gradients(got.x.slice(0, 5 * narrow.dim), narrow.contextDim ? { context: new Float32Array(2) } : {})).loss,
    ).toBeGreaterThan(-100);
    for (const each of [flow, narrow, wide]) each.dispose();
  });

  test('of PyTorch, after model.half()', async () => {
    const { gpu } = held;
    const { description, weights } = await loadGolden('maf-d6');
    const flow = await importTorch(gpu, description, weights);
    const file = await flow.save({ weights: 'float16' });
    const { tensors } = readSafetensors(file);
    const imported = await importTorch(gpu, description, writeSafetensors(tensors));
    expect(await numbersOf(imported)).toEqual(await numbersOf(await loadFlow(gpu, file)));
  });

  test('of a series', async () => {
    const { gpu } = held;
    const flow = await temporalMaf(gpu, { dim: 2, hidden: 16, seed: 1 });
    const narrow = await loadTemporal(gpu, await flow.save({ weights: 'float16' }));
    const wide = await loadTemporal(gpu, await narrow.save({ weights: 'float32' }));
    const x = Float32Array.from({ length: 2 * 5 * 2 }, (_, i) => Math.sin(i));
    expect(await narrow.logProb(x, { time: 5 })).toEqual(await wide.logProb(x, { time: 5 }));
  });
});
