// Gradients of planar, radial and Sylvester flows, mixtures, bounded supports and batch norm inside nets.

import { expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import type { OpDescription } from '../../src/format/description.js';
import { readSafetensors, writeSafetensors } from '../../src/format/safetensors.js';
import { bounded, type Flow, fit, importTorch, mademog, maf, neuralSpline, planar, radial, sylvester } from '../../src/index.js';
import { modelOf } from '../../src/training/model.js';
import { flatParameters, layoutOf } from '../../src/training/trainable.js';
import { flows, type Traits } from '../flows/table.js';
import { batchNormNets } from '../support/batch-norm-net.js';
import { useGpu } from '../support/gpu.js';
import { describeGradients } from '../support/gradient-check.js';
import { differentiable } from '../support/parameter-gradients.js';
import { freshSeed, Random } from '../support/random.js';

const held = useGpu();

for (const flow of flows)
  if (/^(planar|radial|sylvester)|mademog|bounded|mixture|support|uniform base/.test(flow.name)) describeGradients(held, flow);

// Most of its parameters are weights: more are drawn, so that the norms' are among them.
describeGradients(held, { name: 'maf D 5, norms folded into layers', make: batchNormNets, traits: {} }, { parameters: 40 });

/** A flow of two features behind sigmoids of one learned temperature. */
async function tempered(op: Partial<Extract<OpDescription, { op: 'sigmoid_to' }>>) {
  const plain = (await maf(held.gpu, { dim: 2, layers: 2, hidden: [12], activation: 'tanh', seed: 1 })) as GpuFlow;
  const { description } = plain.parts.state;
  const tensors = new Map(readSafetensors(await plain.save()).tensors);
  plain.dispose();
  tensors.set('temperature', { dtype: 'F32', shape: [1], data: Float32Array.of(1.5) });
  const structure = [{ op: 'sigmoid_to', temperature: 'temperature', ...op }, ...description.structure];
  return (await importTorch(held.gpu, { ...description, structure }, writeSafetensors(tensors))) as GpuFlow;
}

const temperatures: readonly (readonly [string, Parameters<typeof tempered>[0], Traits])[] = [
  ['from an interval', { low: -1, high: [1, 3] }, { support: [-1, 1] }],
  ['to the unit interval', { inverse: true }, {}],
  ['from an interval with margins', { eps: 0.05 }, { support: [0, 1] }],
];
for (const [name, op, traits] of temperatures) {
  const make = () => tempered(op);
  describeGradients(held, { name: `a learned temperature, ${name}`, make, traits });
  test(`the gradient by a learned temperature, ${name}, agrees with differences in float64`, async () => {
    const random = new Random(freshSeed());
    const flow = await make();
    const { tensors } = layoutOf(modelOf(flow));
    const { from } = tensors.find((tensor) => tensor.name === 'temperature')!;
    const x = random.normals(2 * 9).map((value) => 1 / (1 + Math.exp(-value)));
    const { evaluate, loss } = differentiable(flow, x, undefined);
    const at = Float64Array.from(flatParameters(modelOf(flow), layoutOf(modelOf(flow))));
    const moved = (step: number) => loss(at.map((value, i) => (i === from ? value + step : value)));
    const numeric = (moved(1e-6) - moved(-1e-6)) / 2e-6;
    expect(Math.abs(numeric)).toBeGreaterThan(1e-3);
    expect(Math.abs(evaluate().gradient[from]! - numeric) / (1 + Math.abs(numeric)), `VITE_TEST_SEED=${random.seed}`).toBeLessThan(1e-6);
    flow.dispose();
  });
}

test('a learned temperature trains', async () => {
  const flow = await tempered({ inverse: true });
  await fit(flow, banana(500, false), { steps: 20, batch: 100, learningRate: 1e-2 });
  expect(Math.abs((await flow.parameters()).temperature!.data[0]! - 1.5)).toBeGreaterThan(0.02);
  flow.dispose();
});

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
