import * as source from '../../src/kernels/generated/parameters.js';
import { NEGATIVE } from '../../src/kernels/parameters.js';
import { defineTwin } from './twin.js';

const signOf = (word: number): number => (word >= NEGATIVE ? -1 : 1);
const indexOf = (word: number): number => (word >= NEGATIVE ? word - NEGATIVE : word) - 1;

export const gather = defineTwin(
  source.gather,
  ({ buffers: { parameters, place, initial, table }, params: { length }, constants: { ZEROS } }) => {
    for (let i = 0; i < length; i++)
      table[i] = place[i] === 0 ? (ZEROS ? 0 : initial[i]!) : signOf(place[i]!) * parameters[indexOf(place[i]!)]!;
  },
);

export const scatter = defineTwin(source.scatter, ({ buffers: { d_table, starts, readers, gradient }, params, constants: { SINGLE } }) => {
  const { length } = params;
  for (let j = 0; j < length; j++) {
    let sum = 0;
    const [from, to] = SINGLE ? [j, readers[j] === 0 ? j : j + 1] : [starts[j]!, starts[j + 1]!];
    for (let k = from; k < to; k++) sum += signOf(readers[k]!) * d_table[indexOf(readers[k]!)]!;
    gradient[j] = sum;
  }
});

export const clear = defineTwin(source.clear, ({ buffers: { table }, params: { length } }) => {
  table.fill(0, 0, length);
});

export const products = defineTwin(source.products, ({ buffers: { starts, factors, left, right, table }, params: { length } }) => {
  for (let i = 0; i < length; i++) {
    table[i] = 0;
    for (let k = starts[i]!; k < starts[i + 1]!; k++) table[i]! += factors[k]! * left[k]! * right[k]!;
  }
});
