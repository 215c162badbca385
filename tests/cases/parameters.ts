import { clear, gather, NEGATIVE, products, scatter } from '../../src/kernels/parameters.js';
import type { Random } from '../support/random.js';
import { defineCases, table, ULP, unread } from './case.js';

const place = (random: Random, count: number): number => {
  const index = Math.floor(random.uniform() * (count + 1));
  return index > 0 && random.uniform() < 0.5 ? index + NEGATIVE : index;
};

const normals = (length: number) => table((random) => random.normals(length));

export const gatherCases = defineCases(
  gather,
  [1, 3, 257, 4096].flatMap((length) =>
    [false, true].map((ZEROS) => ({
      name: `${length} elements${ZEROS ? ', zeros beside' : ''}`,
      rows: 1,
      params: { length },
      constants: { ZEROS },
      buffers: {
        parameters: normals(100),
        place: table((random) => Uint32Array.from({ length }, () => place(random, 100))),
        initial: ZEROS ? unread : normals(length),
        table: normals(length),
      },
      tolerance: { bound: 0 },
    })),
  ),
);

/** Readers of each parameter: none, one, or a few. */
const starts = (length: number) => Uint32Array.from({ length: length + 1 }, (_, j) => Math.floor((j * 7) / 4));

export const scatterCases = defineCases(
  scatter,
  [1, 3, 257, 4096].flatMap((length) =>
    [false, true].map((SINGLE) => {
      const at = starts(length);
      return {
        name: `${length} parameters${SINGLE ? ' of one reader at most' : ''}`,
        rows: 1,
        params: { length },
        constants: { SINGLE },
        buffers: {
          d_table: normals(300),
          starts: table(() => at),
          readers: table((random) =>
            Uint32Array.from({ length: SINGLE ? length : at[length]! }, () => Math.max(SINGLE ? 0 : 1, place(random, 300))),
          ),
          gradient: normals(length),
        },
        tolerance: { bound: 4 * ULP },
      };
    }),
  ),
);

export const clearCases = defineCases(
  clear,
  [1, 257].map((length) => ({
    name: `${length} elements`,
    rows: 1,
    params: { length },
    buffers: { table: normals(length) },
    tolerance: { bound: 0 },
  })),
);

export const productsCases = defineCases(
  products,
  [1, 3, 257].map((length) => ({
    name: `${length} elements`,
    rows: 1,
    params: { length },
    buffers: {
      // None, one, or many: 300 of the last.
      starts: table(() => starts(length).map((at, i) => (i === length ? at + 300 : at))),
      factors: normals(starts(length)[length]! + 300),
      left: normals(starts(length)[length]! + 300),
      right: normals(starts(length)[length]! + 300),
      table: normals(length),
    },
    tolerance: { bound: 48 * ULP, of: 'inputs' as const },
  })),
);
