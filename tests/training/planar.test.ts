// Gradients of planar, radial and Sylvester flows, mixtures, bounded supports and batch norm inside nets.

import { expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/format/safetensors.js';
import { bounded, type Flow, fit, importTorch, mademog, maf, neuralSpline, planar, radial, sylvester } from '../../src/index.js';
import { flows } from '../flows/table.js';
import { batchNormNets } from '../support/batch-norm-net.js';
import { loadGolden } from '../support/golden.js';
import { useGpu } from '../support/gpu.js';
import { describeGradients } from '../support/gradient-check.js';
import { Random } from '../support/random.js';

const held = useGpu();

for (const flow of flows)
  if (/^(planar|radial|sylvester)|mademog|bounded|mixture|support|uniform base/.test(flow.name)) describeGradients(held, flow);

// Most of its parameters are weights: more are drawn, so that the norms' are among them.
describeGradients(held, { name: 'maf D 5, norms folded into layers', make: batchNormNets, traits: {} }, { parameters: 40 });

/** A banana, or for a bounded flow the same pushed into (0, 1). */
function banana(rows: number, inside: boolean): Float32Array {
  const random = new Random(3);
  const x = new Float32Array(2 * rows);
  for (let i = 0; i < rows; i++) {
    const u = random.normal();
    x[2 * i] = u;
    x[2 * i + 1] = 0.5 * u * u + 0.3 * random.normal();
  }
  return inside ? x.map((value) => 1 / (1 + Math.exp(-value))) : x;
}

const fresh: Record<string, () => Promise<Flow>> = {
  planar: () => planar(held.gpu, { dim: 2, layers: 6, seed: 1 }),
  radial: () => radial(held.gpu, { dim: 2, layers: 6, seed: 1 }),
  sylvester: () => sylvester(held.gpu, { dim: 2, layers: 4, seed: 1 }),
  mademog: () => mademog(held.gpu, { dim: 2, components: 4, hidden: [20], seed: 1 }),
  'maf, mixture base': () => maf(held.gpu, { dim: 2, layers: 1, hidden: [20], base: { type: 'mixture', components: 4 }, seed: 1 }),
  'bounded maf': async () => bounded(await maf(held.gpu, { dim: 2, layers: 2, hidden: [20], seed: 1 }), { low: 0, high: 1 }),
  'quadratic spline': () => neuralSpline(held.gpu, { dim: 2, kind: 'quadratic', layers: 2, hidden: [20], seed: 1 }),
  'cubic spline': () => neuralSpline(held.gpu, { dim: 2, kind: 'cubic', layers: 2, hidden: [20], seed: 1 }),
};

test.each(Object.entries(fresh))('%s fits a banana', async (name, make) => {
  const flow = await make();
  const x = banana(1000, name.startsWith('bounded'));
  const loss = async () => -(await flow.logProb(x)).reduce((sum, value) => sum + value, 0) / 1000;
  const before = await loss();
  await fit(flow, x, { steps: 200, batch: 250, learningRate: 2e-2 });
  const after = await loss();
  expect(after).toBeLessThan(before - 0.2);
  flow.dispose();
});

test('a learned temperature is an error that names the place, not a gradient of 0', async () => {
  const { description, weights } = await loadGolden('maf-d2');
  const tensors = new Map(readSafetensors(weights).tensors);
  tensors.set('temperature', { dtype: 'F32', shape: [1], data: Float32Array.of(1.5) });
  const structure = [{ op: 'sigmoid_to', temperature: 'temperature', inverse: true }, ...(description.structure as object[])];
  const flow = await importTorch(held.gpu, { ...description, structure }, writeSafetensors(tensors));
  await expect(flow.gradients(Float32Array.of(0.2, 0.7))).rejects.toThrow(/bounded.*support/);
  flow.dispose();
});
