// What `npm run datasets` measures, in small: its float64 Gaussian, and a flow that passes it on real data within a few hundred steps.

import { describe, expect, test } from 'vitest';
import { Gaussian, scoreGaussian } from '../../bench/datasets/gaussian.js';
import { dequantised } from '../../bench/datasets/integers.js';
import { scoreFlow } from '../../bench/datasets/score.js';
import { dataSets } from '../../bench/datasets/sets.js';
import { maf, realNVP } from '../../src/index.js';
import { useGpu } from '../support/gpu.js';
import { Random } from '../support/random.js';

const held = useGpu({ ruled: false });

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the Gaussian', () => {
  test('reaches the entropy of correlated normals', () => {
    const random = new Random(1);
    const draw = (rows: number) => {
      const y = new Float64Array(3 * rows);
      for (let at = 0; at < y.length; at += 3) {
        const [u, v, w] = [random.normal(), random.normal(), random.normal()];
        y.set([4 + 2 * u, -1 + u + 0.5 * v, 3 * w - v], at);
      }
      return y;
    };
    const gaussian = new Gaussian(draw(20_000), 3);
    const entropy = 1.5 * (1 + Math.log(2 * Math.PI)) + Math.log(2 * 0.5 * 3);
    expect(Math.abs(-mean(gaussian.logDensity(draw(20_000))) - entropy)).toBeLessThan(0.03);
    expect(Math.abs(gaussian.deviation[1]! - Math.sqrt(1.25))).toBeLessThan(0.03);
    // At the mean: −log of the normalising constant.
    expect(gaussian.logDensity(Float64Array.of(4, -1, 0))[0]).toBeCloseTo(1.5 - entropy, 1);
  });

  test('sees integers through the maps of a flow, with their log-det', () => {
    const k = Float32Array.of(0, 3, 16, 8);
    for (const alpha of [undefined, 0.05]) {
      const space = { dim: 2, levels: 17, ...(alpha !== undefined && { alpha }) };
      const { y, logDet } = dequantised(k, space, 1);
      const x = y.map((value) => (alpha === undefined ? value : (1 / (1 + Math.exp(-value)) - alpha) / (1 - 2 * alpha)));
      expect([...x].map((value) => Math.floor(17 * value))).toEqual([...k]);
      const slope = (value: number) =>
        alpha === undefined
          ? 1
          : (0.25 * (1 - 2 * alpha)) / (0.5 * (alpha + (1 - 2 * alpha) * value)) / (0.5 * (1 - alpha - (1 - 2 * alpha) * value));
      for (const row of [0, 1]) {
        const expected = Math.log(slope(x[2 * row]!) / 17) + Math.log(slope(x[2 * row + 1]!) / 17);
        expect(logDet[row]).toBeCloseTo(expected, 9);
      }
    }
  });
});

describe('real data', () => {
  test('a small RealNVP passes the Gaussian on digits', async () => {
    const set = dataSets.digits!;
    const split = await set.load();
    expect([split.train.length, split.test.length]).toEqual([1437 * 64, 360 * 64]);
    const gaussian = scoreGaussian(split.train, split.test, set);
    // 2.45 bits a pixel, as numpy has it too.
    expect(-gaussian.logLikelihood / (64 * Math.LN2)).toBeCloseTo(2.45, 1);
    const { test: score, loss } = await scoreFlow(held.gpu, set, split, {
      make: (gpu) => realNVP(gpu, { dim: 64, layers: 4, hidden: [48], masking: 'checkerboard', shape: [1, 8, 8], seed: 1 }),
      fit: { steps: 250, batch: 64, learningRate: 5e-3, average: 0.95, validation: 0.1, weightDecay: 0.5 },
    });
    expect(score).toBeGreaterThan(gaussian.logLikelihood + 2);
    expect(Math.abs(score + loss)).toBeLessThan(5);
  });

  test('a small MAF passes it on flights', async () => {
    const set = dataSets.flights!;
    const whole = await set.load();
    const split = { train: whole.train.slice(0, 3 * 8000), test: whole.test.slice(0, 3 * 4000) };
    const { logLikelihood } = scoreGaussian(split.train, split.test, set, 1);
    const { test: score } = await scoreFlow(held.gpu, set, split, {
      make: (gpu) => maf(gpu, { dim: 3, layers: 4, hidden: [32], seed: 1 }),
      fit: { steps: 200, batch: 256, learningRate: 5e-3, average: 0.95 },
    });
    expect(score).toBeGreaterThan(logLikelihood + 0.3);
  });
});
