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

  test('of integers, behind a logit or not: mean 0 and deviation 1 under uniform noise', async () => {
    const inner = await maf(held.gpu, { dim: 2, layers: 1, hidden: [8], seed: 1 });
    const random = new Random(5);
    const k = Float32Array.from({ length: 2 * 3000 }, (_, at) => (at % 2 === 0 ? 0 : Math.floor(17 * random.uniform() ** 2)));
    const x = k.map((integer) => (integer + random.uniform()) / 17);
    for (const alpha of [undefined, 0.05]) {
      const flow = standardised(inner, k, { levels: 17, ...(alpha !== undefined && { alpha }) });
      const log = (p: number) => (alpha === undefined ? p : Math.log((alpha + (1 - 2 * alpha) * p) / (1 - alpha - (1 - 2 * alpha) * p)));
      const moments = [0, 1].map((f) => {
        const column = [...x].filter((_, at) => at % 2 === f).map(log);
        const mean = column.reduce((sum, value) => sum + value, 0) / 3000;
        return { mean, deviation: Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3000) };
      });
      // The same flow at what its layers in front make of x: drawn noise instead of the points of a cell, hence the tolerance.
      const scaled = Float32Array.from(x, (value, at) => (log(value) - moments[at % 2]!.mean) / moments[at % 2]!.deviation);
      const [{ z }, expected] = [await flow.forward(x), await inner.forward(scaled)];
      for (const f of [0, 1]) {
        let worst = 0;
        for (let at = f; at < z.length; at += 2) worst = Math.max(worst, Math.abs(z[at]! - expected.z[at]!));
        expect(worst).toBeLessThan(0.1);
      }
      const logDet = await flow.logProb(x);
      expect(logDet.every(Number.isFinite)).toBe(true);
      const again = await loadFlow(held.gpu, await flow.save());
      expect(await again.logProb(x)).toEqual(logDet);
    }
  });

  test('refuses data outside of what the options say', async () => {
    const flow = await maf(held.gpu, { dim: 1, layers: 1, hidden: [8] });
    expect(() => standardised(flow, Float32Array.of(0, 17), { levels: 17 })).toThrow(
      'row 1, feature 0, needs an integer from 0 to 16; got 17',
    );
    expect(() => standardised(flow, Float32Array.of(0, 1), { levels: 1 })).toThrow(ValueError);
    expect(() => standardised(flow, Float32Array.of(0, 1), { alpha: 0.5 })).toThrow('alpha needs a number from 0 to below 1/2');
    expect(() => standardised(flow, Float32Array.of(0.5, 1.5), { alpha: 0.1 })).toThrow('numbers from 0 to 1; got 1.5');
    expect(() => standardised(flow, Float32Array.of(0.5, 0), { alpha: 0 })).toThrow('numbers between 0 and 1; got 0');
    expect(() => standardised(flow, Float32Array.of(0.5, Number.NaN), { alpha: 0.1 })).toThrow(ValueError);
    expect(() => standardised(flow, Float32Array.of(0, 1, 0.5), { alpha: 0.1 })).not.toThrow();
  });

  test('refuses what has no scale', async () => {
    const flow = await maf(held.gpu, { dim: 2, layers: 1, hidden: [8] });
    expect(() => standardised(flow, Float32Array.of(1, 2, 3, 2))).toThrow('standardised: data, feature 1, needs values that differ');
    expect(() => standardised(flow, Float32Array.of(1, 2, 3, Number.NaN))).toThrow(ValueError);
    expect(() => standardised(flow, new Float32Array(3))).toThrow(ShapeError);
    expect(() => standardised(flow, new Float32Array(2))).toThrow('at least two rows; got 1');
  });
});
