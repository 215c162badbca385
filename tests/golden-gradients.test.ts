// d mean(−log p(x)) / d parameter against PyTorch's float64 gradients: within 4 × of PyTorch's own float32 error.

import { describe, expect, test } from 'vitest';
import { importTorch } from '../src/index.js';
import { gradientNames, input, loadGolden, loadGoldenGradients } from './support/golden.js';
import { useGpu } from './support/gpu.js';

const FACTOR = 4;

const context = useGpu();

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

const rows: string[] = [];

describe('golden gradients', () => {
  test.each(gradientNames)('%s', async (name) => {
    const [golden, expected] = await Promise.all([loadGolden(name), loadGoldenGradients(name)]);
    const flow = await importTorch(context.gpu, golden.description, golden.weights);
    const given = input(golden.io, 'context');
    const { loss, gradients } = await flow.gradients(input(golden.io, 'x')!, given ? { context: given } : {});
    flow.dispose();
    expect(Math.abs(loss - expected.loss) / (1 + Math.abs(expected.loss))).toBeLessThan(1e-5);
    const errors: { tensor: string; error: number }[] = [];
    // Absent there: what the library keeps as a buffer, such as the base of some normflows models.
    for (const [tensor, { data }] of expected.gradients) {
      const exact = data as Float64Array;
      const got = gradients[tensor];
      expect(got?.length, tensor).toBe(exact.length);
      const rms = Math.sqrt(exact.reduce((sum, value) => sum + value * value, 0) / exact.length);
      const worst = exact.reduce((most, value, i) => {
        const error = Math.abs(got![i]! - value);
        return error <= most ? most : error;
      }, 0);
      errors.push({ tensor, error: rms === 0 ? worst : worst / rms });
    }
    const worst = errors.reduce((most, entry) => (entry.error <= most.error ? most : entry));
    const middle = median(errors.map(({ error }) => error));
    rows.push(
      `${name.padEnd(34)} worst ${(worst.error / expected.observed.worst).toFixed(2)} × (${worst.error.toExponential(1)}, ${worst.tensor}), median ${(middle / expected.observed.median).toFixed(2)} ×`,
    );
    expect(worst.error / expected.observed.worst, `${worst.tensor}: ${worst.error}`).toBeLessThanOrEqual(FACTOR);
    expect(middle / expected.observed.median, 'the median tensor').toBeLessThanOrEqual(FACTOR);
  });

  test('table', () => console.info(`gradients beside PyTorch's float32 error\n${rows.join('\n')}`));
});
