// Data in their own units: what standardising does to densities, files and bad columns.

import { describe, expect, test } from 'vitest';
import { loadFlow, maf, ShapeError, standardised, ValueError } from '../../src/index.js';
import { useGpu } from '../support/gpu.js';
import { Random } from '../support/random.js';

const held = useGpu();

/** Two features of means 1000 and −3, deviations 5 and 0.01. */
function table(rows: number): Float32Array {
  const random = new Random(21);
  return Float32Array.from({ length: 2 * rows }, (_, at) => (at % 2 === 0 ? 1000 + 5 * random.normal() : -3 + 0.01 * random.normal()));
}

describe('standardised', () => {
  test('is the flow at (x − mean) / deviation, with the log-det of the scales', async () => {
    const inner = await maf(held.gpu, { dim: 2, layers: 2, hidden: [8], seed: 1 });
    const data = table(500);
    const flow = standardised(inner, data);
    const moments = [0, 1].map((f) => {
      const column = Array.from(data).filter((_, at) => at % 2 === f);
      const mean = column.reduce((sum, value) => sum + value, 0) / 500;
      return { mean, deviation: Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 500) };
    });
    const scaled = Float32Array.from(data, (value, at) => (value - moments[at % 2]!.mean) / moments[at % 2]!.deviation);
    const expected = await inner.logProb(scaled);
    const logScales = moments.reduce((sum, { deviation }) => sum + Math.log(deviation), 0);
    const got = await flow.logProb(data);
    // 1000 is known to 6e-5 in float32, a hundred-thousandth of a deviation; the density's slope times it.
    for (const [row, value] of got.entries()) expect(Math.abs(value - (expected[row]! - logScales))).toBeLessThan(2e-3);
    const samples = await flow.sample(2000, { seed: 1 });
    expect(Math.abs(samples[0]! - 1000)).toBeLessThan(50);
    const again = await loadFlow(held.gpu, await flow.save());
    expect(await again.logProb(data)).toEqual(got);
    expect(Object.keys(await flow.parameters())).toEqual(Object.keys(await inner.parameters()));
  });

  test('refuses what has no scale', async () => {
    const flow = await maf(held.gpu, { dim: 2, layers: 1, hidden: [8] });
    expect(() => standardised(flow, Float32Array.of(1, 2, 3, 2))).toThrow('standardised: data, feature 1, needs values that differ');
    expect(() => standardised(flow, Float32Array.of(1, 2, 3, Number.NaN))).toThrow(ValueError);
    expect(() => standardised(flow, new Float32Array(3))).toThrow(ShapeError);
    expect(() => standardised(flow, new Float32Array(2))).toThrow('at least two rows; got 1');
  });
});
