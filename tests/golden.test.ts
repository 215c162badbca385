// Every golden case of the families that the importer knows: within 4 × of what the PyTorch library's own float32 run shows against
// its float64 run, in both directions, with log-dets.

import { describe, expect, test } from 'vitest';
import type { GpuFlow } from '../src/flows/flow.js';
import { importTorch } from '../src/index.js';
import { goldenNames, input, loadGolden, numbers } from './support/golden.js';
import { useGpu } from './support/gpu.js';
import { ReferenceFlow } from './support/reference-flow.js';

const FACTOR = 4;

const context = useGpu();

const maxAbs = (got: Float32Array | Float64Array, expected: Float64Array): number => {
  expect(got.length).toBe(expected.length);
  let worst = 0;
  for (const [i, value] of got.entries()) {
    const error = Math.abs(value - expected[i]!);
    if (!(error <= worst)) worst = error;
  }
  return worst;
};

describe('golden', () => {
  test.each(goldenNames)('%s', async (name) => {
    const golden = await loadGolden(name);
    const { io, observed } = golden;
    const flow = await importTorch(context.gpu, golden.description, golden.weights);
    const at = (key: string) => {
      const value = input(io, key);
      return value ? { context: value } : {};
    };
    const x = input(io, 'x')!;
    const base = input(io, io.has('base_sample') ? 'base_sample' : 'base_noise')!;
    const forward = await flow.forward(x, at('context'));
    const inverse = await flow.inverse(base, at('sample_context'));
    const errors = {
      z: maxAbs(forward.z, numbers(io, 'z')),
      log_abs_det: maxAbs(forward.logDet, numbers(io, 'log_abs_det')),
      log_prob: maxAbs(await flow.logProb(x, at('context')), numbers(io, 'log_prob')),
      sample: maxAbs(inverse.x, numbers(io, 'sample')),
      sample_log_abs_det: maxAbs(inverse.logDet, numbers(io, 'sample_log_abs_det')),
    };
    flow.dispose();
    const ratios = Object.fromEntries(
      Object.entries(errors).map(([key, error]) => [key, +(error / Math.max(observed[key]!.max_abs, 1e-12)).toFixed(2)]),
    );
    console.info(`${name} ${JSON.stringify(ratios)}`);
    for (const [key, error] of Object.entries(errors))
      expect(error, `${key} of ${name}`).toBeLessThanOrEqual(FACTOR * observed[key]!.max_abs);
  });
});

/**
 * What the host rounds to float32 before the programs see it, by what the description says; weights are float32 anyway. A diagonal
 * factor has two parts, 36 bits in all; matrices, their inverses, norms inside a net and a mixture's table have one.
 */
function rounding(description: object): number {
  const text = JSON.stringify(description);
  if (/"lu_linear"|"matmul_right"|"batch_norm":true|"diag_gmm"/.test(text)) return 1e-5;
  return /"batchnorm"|"actnorm"|"diag_normal"/.test(text) ? 5e-9 : 1e-12;
}

// The interpreter agrees with PyTorch in float64 to rounding, so it can stand for PyTorch wherever there is no golden case.
describe('golden in float64, and the number of parameters', () => {
  test.each(goldenNames)('%s', async (name) => {
    const { io, description, weights } = await loadGolden(name);
    const flow = (await importTorch(context.gpu, description, weights)) as GpuFlow;
    const reference = new ReferenceFlow(flow);
    const [x, condition] = [numbers(io, 'x'), input(io, 'context')];
    const forward = reference.forward(x, condition);
    const inverse = reference.inverse(numbers(io, io.has('base_sample') ? 'base_sample' : 'base_noise'), input(io, 'sample_context'));
    const results = {
      z: forward.z,
      log_abs_det: forward.logDet,
      log_prob: reference.logProb(x, condition),
      sample: inverse.x,
      sample_log_abs_det: inverse.logDet,
    };
    for (const [key, got] of Object.entries(results)) {
      const want = numbers(io, key);
      const mixed = Float64Array.from(got, (value, i) => (value - want[i]!) / (1 + Math.abs(want[i]!)));
      expect(maxAbs(mixed, new Float64Array(want.length)), key).toBeLessThanOrEqual(rounding(description));
    }
    const sizes = Object.values(await flow.parameters()).map(({ data }) => data.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(description.parameters);
    flow.dispose();
  });
});
