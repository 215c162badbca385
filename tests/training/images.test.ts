// Gradients of image flows, and of flows with linear layers between their own; and that both train.

import { describe, expect, test } from 'vitest';
import { TensorWriter } from '../../src/flows/recipes/initial.js';
import { fit, glow } from '../../src/index.js';
import type { Gpu } from '../../src/runtime/gpu.js';
import { describedFlow } from '../flows/structures.js';
import { type FlowCase, flows } from '../flows/table.js';
import { useGpu } from '../support/gpu.js';
import { describeGradients } from '../support/gradient-check.js';
import { Random } from '../support/random.js';

const held = useGpu({ ruled: false });

/** Dense matrices one after another, the first a turn by one place, so that elimination has pivots to find. */
function dense(gpu: Gpu, dim: number, layers: number) {
  const writer = new TensorWriter(3);
  for (let layer = 0; layer < layers; layer++)
    writer.float(
      `${layer}.W`,
      [dim, dim],
      writer
        .draws(dim * dim, 0.3 / Math.sqrt(dim))
        .map((value, at) => value + Number((Math.floor(at / dim) + 1 - layer) % dim === at % dim)),
    );
  const structure = Array.from({ length: layers }, (_, layer) => ({ op: 'matmul_right', key: `${layer}.W` }) as const);
  return describedFlow(gpu, writer, { features: dim, structure });
}

const more = [
  ...[1, 2, 5, 63].map((dim) => ({ name: `dense D ${dim}`, make: async (gpu: Gpu) => dense(gpu, dim, 2), traits: {} })),
  // More terms in a log-det than one invocation sums.
  {
    name: 'glow 3×20×20',
    make: (gpu: Gpu) => glow(gpu, { shape: [3, 20, 20], levels: 1, steps: 1, hidden: [3], scale: 'exp', seed: 4 }),
    traits: {},
  },
] as unknown as readonly FlowCase[];

for (const flow of [...flows, ...more])
  if (/^glow|^imageRealNVP|^split|^dense|qr|householder|permutation|swapped/.test(flow.name))
    // Image flows of the table are perturbed there already; sixty-three reflections magnify what more does.
    describeGradients(held, flow, /^glow|^image|D 63/.test(flow.name) ? { perturbation: 0.02 } : {});

describe('fit', () => {
  /** Rows of N(0, A Aᵀ), and the entropy: the loss that nothing beats. */
  function normals(dim: number, rows: number, seed: number) {
    const random = new Random(seed);
    const noise = random.normals(rows * dim);
    // x[f] = (1 + f / D) u[f] + 0.7 x[f − 1]: a determinant that is a product.
    for (let at = 0; at < noise.length; at++) {
      const f = at % dim;
      noise[at] = (1 + f / dim) * noise[at]! + (f > 0 ? 0.7 * noise[at - 1]! : 0);
    }
    let entropy = (dim / 2) * (1 + Math.log(2 * Math.PI));
    for (let f = 0; f < dim; f++) entropy += Math.log(1 + f / dim);
    return { x: noise, entropy };
  }

  test('a dense matrix reaches the entropy of a correlated normal', async () => {
    const { x, entropy } = normals(5, 4000, 1);
    const flow = dense(held.gpu, 5, 1);
    await fit(flow, x, { steps: 400, batch: 400, learningRate: 2e-2 });
    const fresh = normals(5, 4000, 2).x;
    const mean = -(await flow.logProb(fresh)).reduce((sum, value) => sum + value, 0) / 4000;
    expect(mean).toBeLessThan(entropy + 0.05);
  });

  test.each([true, false])('a Glow learns correlated images, lu %s', async (lu) => {
    const { x, entropy } = normals(16, 2000, 3);
    const flow = await glow(held.gpu, { shape: [1, 4, 4], levels: 2, steps: 2, hidden: [16], lu, data: x, seed: 1 });
    const fresh = normals(16, 1000, 4).x;
    const mean = async () => -(await flow.logProb(fresh)).reduce((sum, value) => sum + value, 0) / 1000;
    const before = await mean();
    const { loss } = await fit(flow, x, { steps: 200, batch: 200, learningRate: 1e-2 });
    const after = await mean();
    expect(before).toBeGreaterThan(entropy + 2);
    expect(after).toBeLessThan(entropy + 0.6);
    expect(after).toBeGreaterThan(entropy - 0.2);
    expect(Math.abs(loss - after)).toBeLessThan(1);
    // The trained flow goes both ways.
    const { z, logDet } = await flow.forward(fresh);
    const back = await flow.inverse(z);
    expect(Math.max(...back.x.map((value, i) => Math.abs(value - fresh[i]!)))).toBeLessThan(1e-3);
    expect(Math.max(...logDet.map((value, row) => Math.abs(value + back.logDet[row]!)))).toBeLessThan(1e-3);
  });
});
