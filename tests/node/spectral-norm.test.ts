// Spectral norms against matrices whose singular values are known by construction.

import { describe, expect, test } from 'vitest';
import { lipschitzBound, spectralNorm } from '../../src/flows/conditioner/spectral-norm.js';
import { uniformGenerator } from '../../src/flows/recipes/initial.js';
import { fixedPointSteps } from '../../src/kernels/residual-solve.js';

/** (I − 2 u uᵀ) diag(values) (I − 2 v vᵀ), [m, n], with unit vectors u and v: its singular values are `values`. */
function withSingularValues(values: readonly number[], m: number, n: number, seed: number): Float64Array {
  const uniform = uniformGenerator(seed);
  const unit = (length: number) => {
    const v = Array.from({ length }, () => uniform() - 0.5);
    const norm = Math.hypot(...v);
    return v.map((value) => value / norm);
  };
  const [u, v] = [unit(m), unit(n)];
  const diagonal = (i: number, j: number) => (i === j ? (values[i] ?? 0) : 0);
  const left = (i: number, j: number) => (i === j ? 1 : 0) - 2 * u[i]! * u[j]!;
  const right = (i: number, j: number) => (i === j ? 1 : 0) - 2 * v[i]! * v[j]!;
  const result = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) for (let k = 0; k < Math.min(m, n); k++) result[i * n + j]! += left(i, k) * diagonal(k, k) * right(k, j);
  return result;
}

describe('spectralNorm', () => {
  test.each([
    ['square', [3, 2, 1, 0.5], 4, 4],
    ['tall', [2.5, 2.4, 0.1], 20, 3],
    ['wide', [0.7, 0.69999, 0.2], 3, 17],
    ['two equal ones', [1.5, 1.5, 1], 5, 3],
    ['rank one', [4, 0, 0], 6, 6],
    ['one number', [0.25], 1, 1],
  ] as const)('%s', (_, values, m, n) => {
    for (let seed = 1; seed <= 5; seed++)
      expect(Math.abs(spectralNorm(withSingularValues(values, m, n, seed), m, n) / values[0] - 1)).toBeLessThan(2e-5);
  });

  test('zero', () => expect(spectralNorm(new Float64Array(6), 2, 3)).toBe(0));
});

test('the bound of a network is the product over its layers and activations', () => {
  const layer = (activation: 'tanh' | 'lipswish' | 'sigmoid' | 'identity') => ({
    inputs: 2,
    outputs: 2,
    weight: Float32Array.of(0.5, 0, 0, 0.25),
    bias: null,
    activation,
  });
  expect(lipschitzBound([layer('identity'), layer('tanh')])).toBeCloseTo(0.25, 3);
  expect(lipschitzBound([layer('identity'), layer('sigmoid')])).toBeCloseTo(0.0625, 3);
  const swish = (u: number) => u / (1 + Math.exp(-u));
  let steepest = 0;
  for (let u = 2; u < 3; u += 1e-4) steepest = Math.max(steepest, (swish(u + 1e-6) - swish(u)) / 1e-6);
  expect(lipschitzBound([layer('lipswish')])).toBeCloseTo((0.5 * steepest) / 1.1, 3);
  expect(lipschitzBound([layer('lipswish')])).toBeGreaterThanOrEqual((0.5 * steepest) / 1.1);
});

test('fixed-point steps are the least that shrink by the factor', () => {
  for (const lipschitz of [0.1, 0.5, 0.9, 0.999]) {
    const steps = fixedPointSteps(lipschitz, 2 ** -24);
    expect(lipschitz ** steps).toBeLessThanOrEqual(2 ** -24 * (1 + 1e-9));
    expect(lipschitz ** (steps - 1)).toBeGreaterThan(2 ** -24);
  }
  expect(fixedPointSteps(0, 2 ** -24)).toBe(1);
});
