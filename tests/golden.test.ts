// Every golden case of the families that the importer knows: within 4 × of what the PyTorch library's own float32 run shows against
// its float64 run, in both directions, with log-dets.

import { describe, expect, test } from 'vitest';
import type { GpuFlow } from '../src/flows/flow.js';
import { importTorch } from '../src/index.js';
import { goldenNames, input, loadGolden, numbers } from './support/golden.js';
import { useGpu } from './support/gpu.js';
import { ReferenceFlow } from './support/reference-flow.js';

const FACTOR = 4;
const MEDIAN = 1.5;

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

interface GoldenRow {
  readonly name: string;
  readonly figure: string;
  readonly ours: number;
  readonly pytorch: number;
}
const rows: GoldenRow[] = [];

describe('golden', () => {
  test.each(goldenNames)('%s', async (name) => {
    const golden = await loadGolden(name);
    const { io, observed } = golden;
    const flow = await importTorch(context.gpu, golden.description, golden.weights);
    const at = (key: string) => {
      const value = input(io, key);
      return value ? { context: value } : {};
    };
    const base = input(io, io.has('base_sample') ? 'base_sample' : 'base_noise')!;
    const inverse = await flow.inverse(base, at('sample_context'));
    const errors: Record<string, number> = {
      sample: maxAbs(inverse.x, numbers(io, 'sample')),
      sample_log_abs_det: maxAbs(inverse.logDet, numbers(io, 'sample_log_abs_det')),
    };
    const x = input(io, 'x');
    if (x) {
      const forward = await flow.forward(x, at('context'));
      errors.z = maxAbs(forward.z, numbers(io, 'z'));
      errors.log_abs_det = maxAbs(forward.logDet, numbers(io, 'log_abs_det'));
      errors.log_prob = maxAbs(await flow.logProb(x, at('context')), numbers(io, 'log_prob'));
    } else {
      // The library has no density direction: the sample goes back to its noise, and the log-dets cancel.
      const back = await flow.forward(inverse.x, at('sample_context'));
      expect(maxAbs(back.z, Float64Array.from(base)), 'back to the noise').toBeLessThan(2e-5);
      expect(
        maxAbs(
          back.logDet,
          Float64Array.from(inverse.logDet, (value) => -value),
        ),
        'log-det of the way back',
      ).toBeLessThan(2e-5);
    }
    flow.dispose();
    for (const [figure, ours] of Object.entries(errors)) rows.push({ name, figure, ours, pytorch: observed[figure]!.max_abs });
    for (const [key, error] of Object.entries(errors))
      expect(error, `${key} of ${name}`).toBeLessThanOrEqual(FACTOR * observed[key]!.max_abs);
  });

  test('the table of cases, whose median is at most 1.5', () => {
    const ratios = rows.map(({ ours, pytorch }) => ours / pytorch);
    const lines = rows.map(
      ({ name, figure, ours, pytorch }, i) =>
        `${name.padEnd(34)} ${figure.padEnd(20)} ${ours.toExponential(2)}  ${pytorch.toExponential(2)}  ${ratios[i]!.toFixed(2)}`,
    );
    const sorted = ratios.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)]!;
    console.info(
      [
        `${'case'.padEnd(34)} ${'figure'.padEnd(20)} ours      PyTorch   ratio    (largest |error|, float32 against float64)`,
        ...lines,
        `median ratio ${median.toFixed(2)}, largest ${sorted.at(-1)!.toFixed(2)}, ${rows.length} figures of ${goldenNames.length} cases`,
      ].join('\n'),
    );
    if (rows.length > 0) expect(median).toBeLessThanOrEqual(MEDIAN);
  });
});

/**
 * What the host rounds to float32 before the programs see it, by what the description says; weights are float32 anyway. A diagonal
 * factor has two parts, 36 bits in all; matrices, their inverses, normalised weights, norms inside a net and a mixture's table have one.
 */
function rounding(description: object): number {
  const text = JSON.stringify(description);
  if (/"lu_linear"|"matmul_right"|"glow_block"|"batch_norm":true|"diag_gmm"|"lipschitz_mlp"/.test(text)) return 1e-5;
  if (/"cnf"/.test(text)) return 5e-7; // the default solver's steps, and their coefficients rounded
  return /"batchnorm"|"actnorm"|"diag_normal"/.test(text) ? 5e-9 : 1e-12;
}

// The interpreter agrees with PyTorch in float64 to rounding, so it can stand for PyTorch wherever there is no golden case.
describe('golden in float64, and the number of parameters', () => {
  test.each(goldenNames)('%s', async (name) => {
    const { io, description, weights } = await loadGolden(name);
    const flow = (await importTorch(context.gpu, description, weights)) as GpuFlow;
    const reference = new ReferenceFlow(flow);
    const inverse = reference.inverse(numbers(io, io.has('base_sample') ? 'base_sample' : 'base_noise'), input(io, 'sample_context'));
    const results: Record<string, Float64Array> = { sample: inverse.x, sample_log_abs_det: inverse.logDet };
    if (io.has('x')) {
      const [x, condition] = [numbers(io, 'x'), input(io, 'context')];
      const forward = reference.forward(x, condition);
      results.z = forward.z;
      results.log_abs_det = forward.logDet;
      results.log_prob = reference.logProb(x, condition);
    }
    for (const [key, got] of Object.entries(results)) {
      const want = numbers(io, key);
      const mixed = Float64Array.from(got, (value, i) => (value - want[i]!) / (1 + Math.abs(want[i]!)));
      expect(maxAbs(mixed, new Float64Array(want.length)), key).toBeLessThanOrEqual(rounding(description));
    }
    // A base that normflows does not train has buffers of the same names, which a file cannot tell; they still are 0, a trained one's are not.
    const learned = Object.entries(await flow.parameters()).filter(
      ([key, { data }]) => !key.startsWith('q0.') || data.some((v) => v !== 0),
    );
    expect(learned.reduce((sum, [, { data }]) => sum + data.length, 0)).toBe(description.parameters);
    flow.dispose();
  });
});
