import * as source from '../../src/kernels/generated/diagonal-mixture-backward.js';
import { differences } from './differences.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

const logSumExp = (values: readonly number[]): number => {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
};

interface Shape {
  readonly dim: number;
  readonly components: number;
}

/** Density by difference of one component's logarithm, and by z. */
export const mixtureShares = defineTwin(source.mixtureShares, ({ buffers, params: { dim, components }, rows }) => {
  const { source: from, made, d_log_prob, shares, d_source } = buffers;
  for (let row = 0; row < rows; row++) {
    const z = Float64Array.from({ length: dim }, (_, f) => from[tiled(dim, row) + f * TILE]!);
    const values = (at: Float64Array) =>
      Array.from({ length: components }, (_, k) => {
        let value = made[k]!;
        for (let f = 0; f < dim; f++) {
          const mean = components + k * dim + f;
          value -= 0.5 * ((at[f]! - made[mean]!) * made[mean + components * dim]!) ** 2;
        }
        return value;
      });
    const given = d_log_prob[row]!;
    const total = logSumExp(values(z));
    for (const [k, value] of values(z).entries()) shares[tiled(components, row) + k * TILE] = given * Math.exp(value - total);
    const slopes = differences((at) => logSumExp(values(at)), z);
    for (const [f, slope] of slopes.entries()) d_source[tiled(dim, row) + f * TILE] = given * slope;
  }
});

export const mixtureMoments = defineTwin(source.mixtureMoments, ({ buffers, params: { dim, components }, rows }) => {
  const { source: from, made, weighted, d_table } = buffers;
  for (let k = 0; k < components; k++)
    for (let f = 0; f < dim; f++) {
      const mean = components + k * dim + f;
      const inverse = made[mean + components * dim]!;
      for (let row = 0; row < rows; row++) {
        const share = weighted[tiled(components, row) + k * TILE]!;
        const difference = from[tiled(dim, row) + f * TILE]! - made[mean]!;
        d_table[mean]! += share * difference * inverse * inverse;
        d_table[mean + components * dim]! -= share * difference * difference * inverse;
      }
    }
});

function tableOf({ dim, components }: Shape, logits: ArrayLike<number>, means: ArrayLike<number>, logScales: ArrayLike<number>): number[] {
  const total = logSumExp(Array.from(logits));
  const constants = Array.from(logits, (logit, k) => {
    let constant = logit - total - (dim / 2) * Math.log(2 * Math.PI);
    for (let f = 0; f < dim; f++) constant -= logScales[k * dim + f]!;
    return constant;
  });
  return [...constants.slice(0, components), ...Array.from(means), ...Array.from(logScales, (value) => Math.exp(-value))];
}

export const mixtureTable = defineTwin(source.mixtureTable, ({ buffers: { logits, means, log_scales, table }, params }) => {
  const [k, all] = [params.components, params.components * params.dim];
  table.set(tableOf(params, logits.subarray(0, k), means.subarray(0, all), log_scales.subarray(0, all)));
});

export const mixtureTableBackward = defineTwin(source.mixtureTableBackward, ({ buffers, params }) => {
  const [k, all] = [params.components, params.components * params.dim];
  const { logits, made, d_made, d_logits, d_means, d_log_scales } = buffers;
  // Means pass, and the table holds what the scales are.
  const logScales = Array.from(made.subarray(k + all, k + 2 * all), (value) => -Math.log(value));
  const by = (at: Float64Array): number =>
    tableOf(params, at.subarray(0, k), new Float64Array(all), at.subarray(k)).reduce((sum, value, i) => sum + value * d_made[i]!, 0);
  const slopes = differences(by, [...logits.subarray(0, k), ...logScales]);
  for (let i = 0; i < k; i++) d_logits[i]! += slopes[i]!;
  for (let i = 0; i < all; i++) {
    d_log_scales[i]! += slopes[k + i]!;
    d_means[i]! += d_made[k + i]!;
  }
});
