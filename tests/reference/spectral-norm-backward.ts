import * as source from '../../src/kernels/generated/spectral-norm-backward.js';
import { defineTwin } from './twin.js';

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
  let before = right.map(() => 0);
  for (let step = 0; step < iterations; step++) {
    const image = times(right);
    const size = Math.hypot(...image);
    const momentum = step < 2 ? 0 : (0.98 * size ** 2) ** 2 / 4;
    const next = transposed(image).map((value, k) => value - momentum * before[k]!);
    const norm = Math.hypot(...next) || 1;
    before = right.map((value) => value / norm);
    right = next.map((value) => value / norm);
  }
  const image = times(right);
  if (iterations > 0) left = image.map((value) => value / (Math.hypot(...image) || 1));
  u.set(left);
  v.set(right);
  v.set(before, inputs);
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
