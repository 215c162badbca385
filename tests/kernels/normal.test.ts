// The functions of shaders/lib/normal.wgsl over their whole ranges, against float64; and the float64 against itself.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { normal } from '../../src/kernels/generated/normal.js';
import { logTail, millsRatio, normalTail } from '../reference/normal.js';
import { runRaw } from '../support/raw-kernel.js';

let device: GPUDevice;
beforeAll(async () => {
  device = await (await navigator.gpu.requestAdapter())!.requestDevice();
});
afterAll(() => device.destroy());

const POINTS = 1 << 17;

async function evaluate(FUNCTION: number, source: Float32Array<ArrayBuffer>): Promise<Float32Array> {
  const count = source.length / 4;
  const { result } = await runRaw(device, normal, {
    buffers: { source, result: source.length },
    params: { count },
    constants: { FUNCTION },
    workgroups: [Math.ceil(count / 64)],
  });
  return result as Float32Array;
}

/** Half on a grid from `low` to `low + 20`, half spread over all exponents up to `high`. */
const sweep = (low: number, high: number) =>
  Float32Array.from({ length: POINTS }, (_, i) => low + (i % 2 === 0 ? (20 * i) / POINTS : (high / 1e-3) ** (i / POINTS) * 1e-3));

/** Worst of |got − exact| / scale(exact), and that it is not far below what is stated. */
function expectWithin(
  got: Float32Array,
  source: Float32Array,
  exactly: (v: number) => number,
  scale: (v: number) => number,
  bound: number,
) {
  let worst = 0;
  let at = Number.NaN;
  for (const [i, v] of source.entries()) {
    const exact = exactly(v);
    const error = Math.abs(got[i]! - exact) / scale(exact);
    if (!(error <= worst)) [worst, at] = [error, v];
  }
  expect(worst, `at ${at}`).toBeLessThanOrEqual(bound);
  expect(worst, `at ${at}`).toBeGreaterThan(bound / 4);
}

describe('tails of the normal distribution', () => {
  test('the float64 twins: both branches of the ratio meet, its derivative is t R − 1, and the quantile undoes the tail', () => {
    // Abramowitz and Stegun 1964, table 26.1: 1 − Φ(1), 1 − Φ(2), −log10 of 1 − Φ(10) and 1 − Φ(40).
    expect(Math.exp(logTail(1))).toBeCloseTo(0.158655253931457, 14);
    expect(Math.exp(logTail(2))).toBeCloseTo(0.022750131948179, 14);
    expect(-logTail(10) / Math.LN10).toBeCloseTo(23.11805, 5);
    expect(-logTail(40) / Math.LN10).toBeCloseTo(349.43701, 5);
    expect(millsRatio(3 - 1e-12) / millsRatio(3)).toBeCloseTo(1, 11);
    for (const t of [0, 0.5, 2, 2.9, 3.1, 8, 30]) {
      const h = 1e-5;
      const derivative = (millsRatio(t + h) - millsRatio(t - h)) / (2 * h);
      expect(derivative).toBeCloseTo(t * millsRatio(t) - 1, 7);
    }
    for (const t of [0, 1e-3, 1, 3, 10, 1e3, 1e7]) expect(Math.abs(normalTail(logTail(t)) - t)).toBeLessThan(1e-13 * (1 + t));
  });

  test("Mills' ratio", async () => {
    const t = sweep(0, 1e30);
    expectWithin(await evaluate(0, t), t, millsRatio, (value) => value, 5e-7);
  });

  test('the quantile of a log-probability, and the ratio there', async () => {
    const source = sweep(Math.fround(Math.LN2), 1e36).map((value) => -value);
    expectWithin(await evaluate(1, source), source, normalTail, (value) => 1 + value, 6e-7);
    expectWithin(
      await evaluate(2, source),
      source,
      (v) => millsRatio(normalTail(v)),
      (value) => value,
      1e-6,
    );
  });

  test('NaN gives NaN, and the ratio vanishes at infinity', async () => {
    const source = new Float32Array([Number.NaN, 0, Number.POSITIVE_INFINITY, 1]);
    const ratio = await evaluate(0, source);
    expect(ratio[0]).toBeNaN();
    expect(ratio[2]).toBe(0);
    for (const index of [1, 2])
      expect(
        (
          await evaluate(
            index,
            source.map((v) => -v),
          )
        )[0],
      ).toBeNaN();
  });
});
