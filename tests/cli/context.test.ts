// Conditional flows of the command line: their networks train on standardised contexts, and the saved flow reads contexts as they come.

import { describe, expect, test } from 'vitest';
import { readContextAs } from '../../src/cli/context.js';
import { type FitJob, type FlowName, recipes, runJob } from '../../src/cli/jobs.js';
import { loadFlow } from '../../src/index.js';
import { useGpu } from '../support/gpu.js';
import { perturbed } from '../support/perturbed.js';
import { Random } from '../support/random.js';

const held = useGpu();
const normals = (count: number, seed: number) => {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.normal());
};

const moments = { mean: [20, -0.3], deviation: [4, 0.01] };

describe.each(Object.keys(recipes) as FlowName[])('%s', (name) => {
  test.each([1, 3].filter((dim) => dim > 1 || (name !== 'nice' && name !== 'realnvp')))(
    'takes the scales of the context in, D = %i',
    async (dim) => {
      const rows = 50;
      const { gpu } = held;
      const flow = await perturbed(gpu, recipes[name](gpu, { dim, contextDim: 2, layers: 2, hidden: [8, 8], seed: 3 }), 0.3);
      const raw = await loadFlow(gpu, readContextAs(await flow.save(), moments));
      const standard = normals(2 * rows, 5);
      const context = standard.map((value, at) => moments.mean[at % 2]! + moments.deviation[at % 2]! * value);
      const x = normals(dim * rows, 7);
      const expected = await flow.logProb(x, { context: standard });
      const other = await flow.logProb(x, { context: normals(2 * rows, 6) });
      const got = await raw.logProb(x, { context });
      // The context decides much of the density, by which the agreement means something. Contexts in float32 hold their values to 1e-6 of a deviation.
      expect(Math.max(...got.map((value, row) => Math.abs(value - other[row]!)))).toBeGreaterThan(0.1);
      for (const [row, value] of expected.entries()) expect(Math.abs(got[row]! - value)).toBeLessThan(1e-4 * (1 + Math.abs(value)));
      flow.dispose();
      raw.dispose();
    },
  );
});

test('a fit on raw contexts far from 0 learns the density on condition of them', async () => {
  const rows = 2000;
  const data = (seed: number) => {
    const noise = normals(2 * rows, seed);
    const context = Float32Array.from({ length: rows }, (_, row) => 2000 + 3 * noise[row]!);
    // Mean and deviation depend on the context; its unit and that of x are far apart.
    const deviation = (row: number) => 50 * Math.exp((context[row]! - 2000) / 6);
    const x = Float32Array.from({ length: rows }, (_, row) => 100 * (context[row]! - 2000) + deviation(row) * noise[rows + row]!);
    let entropy = 0;
    for (let row = 0; row < rows; row++)
      entropy += (0.5 * noise[rows + row]! ** 2 + Math.log(deviation(row)) + 0.5 * Math.log(2 * Math.PI)) / rows;
    return { x, context, entropy };
  };
  const { gpu } = held;
  const train = data(1);
  const job: FitJob = {
    kind: 'fit',
    flow: 'maf',
    recipe: { dim: 1, contextDim: 1, layers: 2, hidden: [16, 16], seed: 1 },
    training: { steps: 300, learningRate: 1e-2, seed: 1 },
    standardise: true,
    train,
    validation: null,
    resume: null,
    checkpoint: false,
  };
  const { file, steps } = await runJob(gpu, job, async () => true);
  expect(steps).toBe(300);
  const { x, context, entropy } = data(2);
  const { logProb } = await runJob(gpu, { kind: 'score', file, rows: { x, context }, levels: null, samples: 1, seed: 0 }, async () => true);
  const loss = -logProb.reduce((sum, value) => sum + value / rows, 0);
  // Nats. No model is below the density itself by more than chance; without the context the loss would be 1.5 higher.
  expect(loss - entropy).toBeGreaterThan(-0.02);
  expect(loss - entropy).toBeLessThan(0.08);
});
