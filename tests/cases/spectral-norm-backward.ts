import { spectralNorm, spectralNormBackward } from '../../src/kernels/spectral-norm-backward.js';
import type { Random } from '../support/random.js';
import { defineCases, table } from './case.js';

/** Every weight once, in some order, and as many places of padding. */
function places(random: Random, count: number): Float32Array<ArrayBuffer> {
  const order = Array.from({ length: 2 * count }, (_, i) => (i < count ? i + 1 : 0));
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return Float32Array.from(order);
}

const unit = (length: number) =>
  table((random) => {
    const values = random.normals(length);
    const norm = Math.hypot(...values);
    return values.map((value) => value / norm);
  });

const normals = (length: number, scale = 1) => table((random) => random.normals(length, scale));

const shape = (outputs: number, inputs: number, iterations: number, coeff: number, scale = 0.3) => ({
  name: `${inputs} → ${outputs}, ${iterations} iterations, at most ${coeff}${scale === 0 ? ', zeros' : ''}`,
  rows: 1,
  params: { outputs, inputs, length: 2 * outputs * inputs, iterations, coeff },
});

const SIZES = [
  [1, 1, 3, 0.5],
  [2, 5, 0, 0.01],
  [64, 3, 32, 0.9],
  [70, 130, 32, 0.9],
  [140, 70, 32, 100],
  [5, 63, 1, 0.97],
  [5, 7, 32, 0.9, 0],
] as const;

export const spectralNormCases = defineCases(
  spectralNorm,
  SIZES.map(([outputs, inputs, iterations, coeff, scale = 0.3]) => ({
    ...shape(outputs, inputs, iterations, coeff, scale),
    buffers: {
      raw: normals(outputs * inputs, scale),
      place: table((random) => places(random, outputs * inputs)),
      start_u: unit(outputs),
      start_v: unit(inputs),
      u: normals(outputs),
      v: normals(2 * inputs),
      weight: normals(2 * outputs * inputs),
      sigma: normals(1),
    },
    tolerance: { bound: 4e-6 },
  })),
);

export const spectralNormBackwardCases = defineCases(
  spectralNormBackward,
  SIZES.map(([outputs, inputs, iterations, coeff, scale = 0.3], index) => ({
    ...shape(outputs, inputs, iterations, coeff, scale),
    buffers: {
      raw: normals(outputs * inputs, scale),
      place: table((random) => places(random, outputs * inputs)),
      left: unit(outputs),
      right: unit(inputs),
      // Above the bound in all but one.
      norm: table(() => Float32Array.of(index === 1 ? coeff / 2 : 1.5 * coeff + 1)),
      d_weight: normals(2 * outputs * inputs),
      d_raw: normals(outputs * inputs),
    },
    tolerance: { bound: 4e-6 },
  })),
);
