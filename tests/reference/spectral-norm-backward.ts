import * as source from '../../src/kernels/generated/spectral-norm-backward.js';
import { defineTwin } from './twin.js';

const normalised = (vector: readonly number[]): number[] => {
  const norm = Math.hypot(...vector);
  return norm === 0 ? [...vector] : vector.map((value) => value / norm);
};

export const spectralNorm = defineTwin(source.spectralNorm, ({ buffers, params }) => {
  const { raw, place, start_u, start_v, u, v, weight, sigma } = buffers;
  const { outputs, inputs, length, iterations, coeff } = params;
  const row = (o: number) => raw.subarray(o * inputs, (o + 1) * inputs);
  const times = (x: readonly number[]) =>
    Array.from({ length: outputs }, (_, o) => x.reduce((sum, value, k) => sum + row(o)[k]! * value, 0));
  const transposed = (y: readonly number[]) =>
    Array.from({ length: inputs }, (_, k) => y.reduce((sum, value, o) => sum + row(o)[k]! * value, 0));
  let right = [...start_v.subarray(0, inputs)];
  let left = [...start_u.subarray(0, outputs)];
  for (let step = 0; step < iterations; step++) right = normalised(transposed(normalised(times(right))));
  const image = times(right);
  if (iterations > 0) left = normalised(image);
  u.set(left);
  v.set(right);
  const found = left.reduce((sum, value, o) => sum + value * image[o]!, 0);
  sigma[0] = found;
  const scale = found <= coeff ? 1 : coeff / found;
  for (let i = 0; i < length; i++) weight[i] = place[i]! > 0 ? scale * raw[place[i]! - 1]! : 0;
});

export const spectralNormBackward = defineTwin(source.spectralNormBackward, ({ buffers, params }) => {
  const { raw, place, left, right, norm, d_weight, d_raw } = buffers;
  const { outputs, inputs, length, coeff } = params;
  const found = norm[0]!;
  const scale = found > coeff ? coeff / found : 1;
  let along = 0;
  for (let i = 0; i < length; i++) {
    if (place[i] === 0) continue;
    d_raw[place[i]! - 1]! += scale * d_weight[i]!;
    along += d_weight[i]! * raw[place[i]! - 1]!;
  }
  if (!(found > coeff)) return;
  for (let o = 0; o < outputs; o++)
    for (let k = 0; k < inputs; k++) d_raw[o * inputs + k]! -= ((along * scale) / found) * left[o]! * right[k]!;
});
