// Gradients of continuous and residual flows: the flows of the table, and what it leaves out.

import { describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { TensorWriter } from '../../src/flows/recipes/initial.js';
import { recordInput, recordOutput, startLogDet } from '../../src/flows/task.js';
import { writeSafetensors } from '../../src/format/safetensors.js';
import { ffjord, fit, importTorch, residual, StateError, scoreOf } from '../../src/index.js';
import { rowSum } from '../../src/kernels/row-sum.js';
import type { Gpu } from '../../src/runtime/gpu.js';
import { Recorder } from '../../src/runtime/recorder.js';
import { recordGradients } from '../../src/training/differentiate.js';
import { recordScore } from '../../src/training/record-score.js';
import { unfused } from '../../src/training/unfuse.js';
import { type FlowCase, flows } from '../flows/table.js';
import { runProgram } from '../reference/run.js';
import { expectError } from '../support/errors.js';
import { loadGolden } from '../support/golden.js';
import { useGpu } from '../support/gpu.js';
import { describeGradients, type GradientLimits } from '../support/gradient-check.js';
import { perturbed } from '../support/perturbed.js';
import { freshSeed, Random } from '../support/random.js';
import { ReferenceFlow } from '../support/reference-flow.js';

const held = useGpu({ ruled: false });

for (const flow of flows) if (/^(ffjord|residual)/.test(flow.name)) describeGradients(held, flow);

const also = (name: string, make: (gpu: Gpu) => Promise<unknown>, limits?: GradientLimits) =>
  describeGradients(held, { name, make: make as FlowCase['make'], traits: {} }, limits);

const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** One op over D 3 and a context of 2. */
async function imported(gpu: Gpu, op: object, write: (writer: TensorWriter) => void) {
  const writer = new TensorWriter(5);
  write(writer);
  const description = {
    features: 3,
    context_features: 2,
    base: { type: 'standard_normal' },
    structure_direction: 'density',
    structure: [op],
  };
  return importTorch(gpu, description, writeSafetensors(writer.tensors, {}));
}

const steps = { method: 'rk4', steps: 2 };

also('ffjord, midpoint', (gpu) =>
  ffjord(gpu, { dim: 2, hidden: [9], activation: 'elu', solver: { method: 'midpoint', steps: 3 }, seed: 1 }),
);
also('ffjord, adaptive with so many steps', (gpu) =>
  ffjord(gpu, { dim: 2, hidden: [9], field: 'concat', solver: { method: 'dopri5-adaptive', rtol: 1e-5, atol: 1e-5, steps: 2 }, seed: 1 }),
);
also('waves of the time', (gpu) =>
  imported(
    gpu,
    {
      op: 'cnf',
      t_data: 0,
      t_noise: 1,
      net: { type: 'fourier_mlp', linears: ['a', 'b'], freqs: 'freqs', activation: 'elu', context_concat: true },
      solver: steps,
    },
    (writer) => {
      writer.float('freqs', [2], Float32Array.of(Math.PI, 2 * Math.PI));
      writer.linear('a', 4 + 3 + 2, 9);
      writer.linear('b', 9, 3);
    },
  ),
);
// As training left it: the stored singular vectors are those of these weights.
also(
  'normflows-residual-d2',
  async (gpu) => {
    const { description, weights } = await loadGolden('normflows-residual-d2');
    return importTorch(gpu, description, weights);
  },
  { perturbation: 0 },
);
also(
  'cnf-d6',
  async (gpu) => {
    const { description, weights } = await loadGolden('cnf-d6');
    const structure = (description.structure as object[]).map((op) => ({ ...op, solver: { method: 'dopri5', steps: 2 } }));
    return importTorch(gpu, { ...description, structure }, weights);
  },
  { perturbation: 0 },
);
/** Log-dets that are estimated: a row's noise depends on its number, so that differences by x move the rows where they stand. */
const estimated: readonly (readonly [string, (gpu: Gpu) => Promise<unknown>])[] = [
  [
    'ffjord, two normal probes',
    (gpu) =>
      ffjord(gpu, { dim: 3, hidden: [9], divergence: { estimator: 'gaussian', probes: 2 }, solver: { method: 'rk4', steps: 2 }, seed: 1 }),
  ],
  [
    'residual, roulette with two probes',
    (gpu) => residual(gpu, { dim: 3, layers: 2, hidden: [9], logDet: { roulette: 'geometric', probes: 2, terms: 12 }, seed: 1 }),
  ],
  [
    'residual, roulette over unit vectors',
    (gpu) =>
      residual(gpu, { dim: 3, layers: 2, hidden: [9], logDet: { roulette: 'poisson', probe: 'unit', exactTerms: 0, terms: 6 }, seed: 1 }),
  ],
  [
    'residual, series with normal probes',
    (gpu) => residual(gpu, { dim: 5, layers: 2, hidden: [9, 7], logDet: { series: 5, probe: 'gaussian', probes: 2 }, seed: 1 }),
  ],
];

for (const [name, make] of estimated) {
  also(name, make, { score: false });
  test(`${name}: one noise for densities, gradients and scores`, async () => {
    const flow = (await perturbed(held.gpu, make(held.gpu) as Promise<GpuFlow>)) as GpuFlow;
    const random = new Random(freshSeed());
    const note = `VITE_TEST_SEED=${random.seed}`;
    const rows = 70;
    const x = random.normals(rows * flow.dim);
    const { loss } = await flow.gradients(x);
    expect(Math.abs(loss + mean(await flow.logProb(x))), note).toBeLessThan(1e-5 * (1 + Math.abs(loss)));
    const exact = runProgram(recordScore(flow), { rows, externals: { x: Float64Array.from(x) } }).score!;
    const reference = new ReferenceFlow(flow);
    for (let f = 0; f < flow.dim; f++) {
      const at = (step: number) => reference.logProb(Float64Array.from(x, (value, i) => (i % flow.dim === f ? value + step : value)));
      const [up, down] = [at(1e-6), at(-1e-6)];
      for (let row = 0; row < rows; row++) {
        const numeric = (up[row]! - down[row]!) / 2e-6;
        expect(Math.abs(exact[row * flow.dim + f]! - numeric) / (1 + Math.abs(numeric)), `row ${row}, ${note}`).toBeLessThan(1e-6);
      }
    }
    flow.dispose();
  });
}

also('residual, a concatenated context', (gpu) =>
  imported(
    gpu,
    {
      op: 'residual',
      net: { type: 'lipschitz_mlp', coeff: 0.5, activation: 'tanh', context_concat: true, layers: [{ linear: 'a' }, { linear: 'b' }] },
    },
    (writer) => {
      writer.linear('a', 3 + 2, 9);
      writer.linear('b', 9, 3);
    },
  ),
);
also(
  'residual, weights as they stand',
  (gpu) =>
    imported(gpu, { op: 'residual', net: { type: 'masked_mlp', linears: ['a'], activation: 'tanh', context_proj: 'c' } }, (writer) => {
      writer.linear('a', 3, 3);
      writer.linear('c', 2, 3);
      for (const { data } of writer.tensors.values()) (data as Float32Array).set((data as Float32Array).map((value) => value / 4));
    }),
  { perturbation: 0.01 },
);

test('a solve back passes gradients as well: by z, of the sum of x and its log-det', async () => {
  const flow = (await perturbed(
    held.gpu,
    ffjord(held.gpu, { dim: 3, hidden: [9], solver: { method: 'rk4', steps: 3 }, seed: 1 }),
  )) as GpuFlow;
  const r = new Recorder('inverse', { differentiable: true });
  const z = recordInput(r, 'z', 3);
  const total = startLogDet(r);
  const x = flow.parts.bijector.inverse(r, z, { logDet: total, context: null });
  r.run(rowSum, { buffers: { terms: x, total }, params: { features: 3 } });
  const backward = new Recorder('inverse');
  const commands = unfused(r.commands);
  backward.adopt(commands);
  for (const command of commands) backward.replay(command);
  const [gradient] = recordGradients(backward, total, 1, [z]);
  recordOutput(backward, 'total', total);
  recordOutput(backward, 'gradient', gradient!);
  const program = backward.finish();
  const random = new Random(freshSeed());
  const at = random.normals(5 * 3);
  const evaluate = (moved: Float64Array) => runProgram(program, { rows: 5, externals: { z: moved } });
  const exact = evaluate(Float64Array.from(at)).gradient!;
  for (let f = 0; f < 3; f++) {
    const by = (h: number) => evaluate(Float64Array.from(at, (value, i) => (i % 3 === f ? value + h : value))).total!;
    const [up, down] = [by(1e-6), by(-1e-6)];
    for (let row = 0; row < 5; row++) {
      const numeric = (up[row]! - down[row]!) / 2e-6;
      expect(Math.abs(exact[row * 3 + f]! - numeric), `VITE_TEST_SEED=${random.seed}`).toBeLessThan(1e-6 * (1 + Math.abs(numeric)));
    }
  }
});

test.each([
  ['ffjord', (gpu: Gpu) => ffjord(gpu, { dim: 2, hidden: [9], solver: { method: 'rk4', steps: 2 }, seed: 1 })],
  ['residual', (gpu: Gpu) => residual(gpu, { dim: 2, layers: 2, hidden: [9], seed: 1 })],
] as const)('%s: a NaN stays in the score of its row', async (_, make) => {
  const flow = await make(held.gpu);
  const x = new Random(freshSeed()).normals(2 * 70);
  const clean = await scoreOf(flow, x);
  x[5] = Number.NaN;
  const { score } = await scoreOf(flow, x);
  expect([...score.subarray(4, 6)].every(Number.isNaN)).toBe(true);
  score.set(clean.score.subarray(4, 6), 4);
  expect(score).toEqual(clean.score);
  flow.dispose();
});

describe('training', () => {
  /** A ring of radius 2. */
  const ring = (rows: number, seed: number) => {
    const random = new Random(seed);
    const x = new Float32Array(2 * rows);
    for (let i = 0; i < rows; i++) {
      const [angle, radius] = [2 * Math.PI * random.uniform(), 2 + 0.2 * random.normal()];
      x.set([radius * Math.cos(angle), radius * Math.sin(angle)], 2 * i);
    }
    return x;
  };

  test.each([
    ['ffjord', (gpu: Gpu) => ffjord(gpu, { dim: 2, hidden: [16], solver: { method: 'rk4', steps: 4 }, seed: 1 })],
    [
      'ffjord, estimated',
      (gpu: Gpu) =>
        ffjord(gpu, { dim: 2, hidden: [16], divergence: { estimator: 'rademacher' }, solver: { method: 'rk4', steps: 4 }, seed: 1 }),
    ],
    ['residual', (gpu: Gpu) => residual(gpu, { dim: 2, layers: 3, hidden: [16], seed: 1 })],
    [
      'residual, roulette',
      (gpu: Gpu) => residual(gpu, { dim: 2, layers: 2, hidden: [16], logDet: { roulette: 'geometric', terms: 8 }, seed: 1 }),
    ],
  ] as const)('%s learns, and stays what it trained', async (_, make) => {
    const flow = await make(held.gpu);
    const x = ring(600, 1);
    const before = -mean(await flow.logProb(x));
    const { loss } = await fit(flow, x, { steps: 60, batch: 128, learningRate: 2e-2, validation: x });
    const after = -mean(await flow.logProb(x));
    expect(after).toBeLessThan(before - 0.1);
    expect(Math.abs(after - loss)).toBeLessThan(1e-3);
    const { z } = await flow.forward(x);
    const back = (await flow.inverse(z)).x;
    expect(Math.max(...back.map((value, i) => Math.abs(value - x[i]!)))).toBeLessThan(1e-3);
    flow.dispose();
  });

  test('an adaptive solver says what it needs', async () => {
    const solver = { method: 'dopri5-adaptive', rtol: 1e-4, atol: 1e-4 } as const;
    const flow = (await ffjord(held.gpu, { dim: 2, hidden: [8], solver, seed: 1 })) as GpuFlow;
    const sentence = /adaptive solver has no fixed list of commands, .* gradients and fit need; build the flow with `steps`/;
    await expectError(() => flow.gradients(new Float32Array(4)), StateError, 'E_STATE', sentence);
    await expectError(() => fit(flow, new Float32Array(40), { steps: 1 }), StateError, 'E_STATE', sentence);
    flow.dispose();
  });
});
