// What people check their flows with: that the checks are quiet on a good flow, and that they find what is wrong with a bad one.

import { beforeAll, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../src/format/safetensors.js';
import {
  bounded,
  checkInvertibility,
  checkLogDet,
  type Flow,
  ffjord,
  iaf,
  importTorch,
  maf,
  neuralSpline,
  realNVP,
  summary,
  ValueError,
} from '../src/index.js';
import { useGpu } from './support/gpu.js';
import { freshSeed, Random } from './support/random.js';

const held = useGpu();
const random = new Random(freshSeed());
const note = `VITE_TEST_SEED=${random.seed}`;

/** Diagonal scaling of two features by e^logScale. */
function scaling(logScale: readonly number[]): Promise<Flow> {
  const tensor = (data: readonly number[]) => ({ dtype: 'F32' as const, shape: [data.length], data: Float32Array.from(data) });
  const weights = writeSafetensors(
    new Map([
      ['s', tensor(logScale)],
      ['t', tensor(logScale.map(() => 0))],
    ]),
    {},
  );
  const structure = [{ op: 'actnorm', log_scale: 's', shift: 't', form: 'scale_then_shift' }];
  return importTorch(
    held.gpu,
    { features: logScale.length, base: { type: 'standard_normal' }, structure_direction: 'density', structure },
    weights,
  );
}

/** A flow that says another log-det than it has, and loses one number on the way back. */
function lying(flow: Flow): Flow {
  const liar: Pick<Flow, 'dim' | 'contextDim' | 'forward' | 'inverse'> = {
    dim: flow.dim,
    contextDim: flow.contextDim,
    forward: async (x) => {
      const { z, logDet } = await flow.forward(x);
      return { z, logDet: logDet.map((value) => value + 0.05) };
    },
    inverse: async (z) => {
      const { x, logDet } = await flow.inverse(z);
      return { x: x.map((value, at) => (at === 7 ? value + 1 : value)), logDet };
    },
  };
  return liar as Flow;
}

describe('on a good flow', () => {
  test.each([
    ['maf', () => maf(held.gpu, { dim: 5, layers: 3, hidden: [16], seed: 1 })],
    ['iaf with context', () => iaf(held.gpu, { dim: 4, layers: 2, hidden: [16], contextDim: 2, seed: 2 })],
    ['realNVP', () => realNVP(held.gpu, { dim: 6, layers: 4, hidden: [16], seed: 3 })],
  ] as const)('%s passes both checks', async (_, make) => {
    const flow = await make();
    const rows = 33;
    const x = random.normals(rows * flow.dim);
    const options = flow.contextDim > 0 ? { context: random.normals(rows * flow.contextDim) } : {};
    const there = await checkInvertibility(flow, x, options);
    expect(there.maxError, note).toBeLessThan(1e-5);
    expect(there.meanError).toBeLessThan(there.maxError);
    expect(there.maxLogDetError, note).toBeLessThan(1e-5);
    expect(there.rows).toBe(rows);
    expect(there.warnings).toEqual([]);
    const logDet = await checkLogDet(flow, x, options);

    expect(logDet.maxError, note).toBeLessThan(1e-2);
    expect(logDet.uncertainRows, note).toBeLessThan(rows / 2);
    expect(logDet.warnings).toEqual([]);
    flow.dispose();
  });
});

describe('on a bad flow', () => {
  let flow: Flow;
  const x = random.normals(20 * 3);
  beforeAll(async () => {
    flow = await realNVP(held.gpu, { dim: 3, layers: 2, hidden: [8], scale: { form: 'tanh', bound: 0.5 }, seed: 4 });
  });

  test('a wrong log-det is found, far above the uncertainty of the check', async () => {
    const { maxError, uncertainty } = await checkLogDet(lying(flow), x);
    expect(maxError, note).toBeGreaterThan(0.02);
    expect(maxError, note).toBeGreaterThan(3 * uncertainty);
  });

  test('a wrong inverse is found, with its row', async () => {
    const { maxError, worstRow, maxLogDetError } = await checkInvertibility(lying(flow), x);
    expect(maxError, note).toBeGreaterThan(0.1);
    expect(worstRow).toBe(2);
    expect(maxLogDetError).toBeGreaterThan(0.02);
  });

  test('what does not come back as a number is an infinite error', async () => {
    const vanishing = await scaling([-200, 0]);
    const { maxError } = await checkInvertibility(vanishing, Float32Array.of(1, 1));
    expect(maxError).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('warnings', () => {
  test('a log-det beyond 100 nats', async () => {
    const { warnings } = await checkInvertibility(await scaling([60, 50]), Float32Array.of(1e-3, 1e-3, 2e-3, 2e-3));
    expect(warnings).toEqual(['the log-det is beyond ±100 nats on 2 of 2 rows (110.0 at most)']);
  });

  test('scales at their bound, with the layer', async () => {
    // Inputs of 10^5 drive every tanh to its end.
    const flow = await realNVP(held.gpu, { dim: 4, layers: 1, hidden: [8], scale: { form: 'tanh', bound: 0.5 }, seed: 4 });
    const { warnings } = await checkInvertibility(
      flow,
      random.normals(40).map((value) => Math.sign(value) * 1e5),
    );
    expect(warnings.length, note).toBeGreaterThan(0);
    for (const warning of warnings)
      expect(warning).toMatch(
        /^flow\/coupling\[0\]: \d+ of 20 scales \(10 rows, 2 features\) are within 1 % of their (lower|upper) bound e\^-?0\.5/,
      );
  });
});

test('an interpolated layer has no bound of its scale to meet', async () => {
  const flow = await maf(held.gpu, { dim: 4, layers: 1, hidden: [8], scale: { form: 'tanh', bound: 0.5 }, interpolation: 0.5, seed: 4 });
  const { warnings } = await checkInvertibility(
    flow,
    random.normals(40).map((value) => Math.sign(value) * 1e5),
  );
  expect(warnings, note).toEqual([]);
});

test('a flow with adaptive steps is checked too', async () => {
  const solver = { method: 'dopri5-adaptive', rtol: 1e-6, atol: 1e-6 } as const;
  const flow = await ffjord(held.gpu, { dim: 2, hidden: [8], solver, seed: 4 });
  const { maxError, warnings } = await checkInvertibility(flow, random.normals(20));
  expect(maxError, note).toBeLessThan(1e-4);
  expect(warnings).toEqual([]);
});

describe('summary', () => {
  test('counts parameters, layers and what each direction costs', async () => {
    const flow = await maf(held.gpu, { dim: 8, layers: 3, hidden: [32, 32], batchNorm: true, seed: 1 });
    const result = summary(flow);
    const total = Object.values(await flow.parameters()).reduce((sum, { data }) => sum + data.length, 0);
    expect(result.parameters).toBe(total);
    expect(result.layers.reduce((sum, layer) => sum + layer.parameters, 0)).toBe(total);
    expect(result.layers.map(({ name }) => name)).toEqual([
      'masked-autoregressive[0]',
      'batch-norm[1]',
      'permutation[2]',
      'masked-autoregressive[3]',
      'batch-norm[4]',
      'permutation[5]',
      'masked-autoregressive[6]',
      'batch-norm[7]',
    ]);
    // One network pass either way: half of (8 · 32 + 32 · 32 + 32 · 16) weights are under the masks, and padding is a little more.
    const [layer] = result.layers;
    expect(layer!.forward.multiplyAdds).toBeGreaterThan(896);
    expect(layer!.forward.multiplyAdds).toBeLessThan(1792);
    expect(layer!.inverse.multiplyAdds).toBeGreaterThan(896);
    expect(layer!.inverse.multiplyAdds).toBeLessThan(1792);
    expect(layer!.inverse.dispatches).toBe(1);
    const lines = String(result).split('\n');
    expect(lines).toHaveLength(1 + 1 + 8 + 1);
    expect(lines.at(-1)).toMatch(/^all +[\d,]+ /);
  });

  test('behind a support, layers and their parameters stay apart', async () => {
    const flow = await maf(held.gpu, { dim: 3, layers: 2, hidden: [8], seed: 1 });
    const [inner, outer] = [summary(flow), summary(bounded(flow, { low: 0 }))];
    expect(outer.layers.map(({ name }) => name)).toEqual([
      'bounded[0]',
      'masked-autoregressive[1]',
      'permutation[2]',
      'masked-autoregressive[3]',
    ]);
    expect(outer.layers.map(({ parameters }) => parameters)).toEqual([0, ...inner.layers.map(({ parameters }) => parameters)]);
  });

  test('the slow direction of an autoregressive spline counts about as many multiply-adds as the fast one', async () => {
    const flow = await neuralSpline(held.gpu, { dim: 8, layers: 1, hidden: [64, 64], type: 'autoregressive', seed: 1 });
    const { forward, inverse } = summary(flow);
    expect(inverse.multiplyAdds).toBeGreaterThan(0.5 * forward.multiplyAdds);
    expect(inverse.multiplyAdds).toBeLessThan(1.5 * forward.multiplyAdds);
  });

  test('refuses what is not a flow of this library', () => {
    expect(() => summary({} as Flow)).toThrow(ValueError);
  });
});
