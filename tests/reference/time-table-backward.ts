import * as source from '../../src/kernels/generated/time-table-backward.js';
import { bell } from './activation.js';
import { sigmoid } from './math.js';
import { defineTwin, type Numbers } from './twin.js';

interface Sizes {
  readonly terms: number;
  readonly width: number;
}

function weighed(times: Numbers, weights: Numbers, { terms, width }: Sizes, e: number, i: number): number {
  let sum = 0;
  for (let j = 0; j < terms; j++) sum += times[e * terms + j]! * weights[j * width + i]!;
  return sum;
}

export const timeTable = defineTwin(source.timeTable, ({ buffers: { times, weights, gated, table }, params }) => {
  for (let e = 0; e < params.evaluations; e++)
    for (let i = 0; i < params.width; i++) {
      const sum = weighed(times, weights, params, e, i);
      table[e * params.width + i] = gated[i] === 1 ? sigmoid(sum) : sum;
    }
});

export const timeTableBackward = defineTwin(source.timeTableBackward, ({ buffers, params }) => {
  const { times, weights, gated, d_table, d_weights } = buffers;
  const { evaluations, terms, width } = params;
  for (let e = 0; e < evaluations; e++)
    for (let i = 0; i < width; i++) {
      const slope = gated[i] === 1 ? bell(weighed(times, weights, params, e, i)) : 1;
      for (let j = 0; j < terms; j++) d_weights[j * width + i]! += times[e * terms + j]! * slope * d_table[e * width + i]!;
    }
});
