import * as source from '../../src/kernels/generated/reflections-backward.js';
import { defineTwin } from './twin.js';

const place = (i: number, j: number, n: number): number => (Math.floor(i / 8) * n + j) * 8 + (i % 8);

/** Column j after each of the reflections, the column of the identity first. */
function columnsOf(vectors: Float64Array, n: number, count: number, j: number): { states: Float64Array[]; factors: number[] } {
  const states = [Float64Array.from({ length: n }, (_, i) => Number(i === j))];
  const factors: number[] = [];
  for (let k = 0; k < count; k++) {
    const v = vectors.subarray(k * n, (k + 1) * n);
    const factor = 2 / v.reduce((sum, value) => sum + value * value, 0);
    const before = states[k]!;
    const inner = before.reduce((sum, value, i) => sum + value * v[i]!, 0);
    factors.push(factor);
    states.push(before.map((value, i) => value - factor * inner * v[i]!));
  }
  return { states, factors };
}

export const reflections = defineTwin(source.reflections, ({ buffers: { vectors, weight }, params }) => {
  const { features: n, reflections: count } = params;
  weight.fill(0, 0, Math.ceil(n / 8) * 8 * n);
  for (let j = 0; j < n; j++)
    for (const [i, value] of columnsOf(vectors, n, count, j).states[count]!.entries()) weight[place(i, j, n)] = value;
});

/** From the vectors alone, where the shader undoes the reflections. */
export const reflectionsBackward = defineTwin(source.reflectionsBackward, ({ buffers: { vectors, d_weight, d_vectors }, params }) => {
  const { features: n, reflections: count } = params;
  for (let j = 0; j < n; j++) {
    const { states, factors } = columnsOf(vectors, n, count, j);
    let g = Float64Array.from({ length: n }, (_, i) => d_weight[place(i, j, n)]!);
    for (let k = count - 1; k >= 0; k--) {
      const v = vectors.subarray(k * n, (k + 1) * n);
      const [x, factor] = [states[k]!, factors[k]!];
      const a = x.reduce((sum, value, i) => sum + value * v[i]!, 0);
      const b = g.reduce((sum, value, i) => sum + value * v[i]!, 0);
      for (let i = 0; i < n; i++) d_vectors[k * n + i]! -= factor * (a * g[i]! + b * x[i]! - factor * a * b * v[i]!);
      g = g.map((value, i) => value - factor * b * v[i]!);
    }
  }
});
