// Every golden case of the families that the importer knows: within 4 × of what the PyTorch library's own float32 run shows against
// its float64 run, in both directions, with log-dets.

import { describe, expect, test } from 'vitest';
import { importTorch } from '../src/index.js';
import { goldenNames, input, loadGolden, numbers } from './support/golden.js';
import { useGpu } from './support/gpu.js';

const FACTOR = 4;

const context = useGpu();

const maxAbs = (got: Float32Array, expected: Float64Array): number => {
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
