// The same operations in float64 on the host, for a few rows: what every library's numbers are held against.

import type { Ops } from './ops.js';

export interface Dense {
  readonly data: Float64Array;
  readonly shape: readonly number[];
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Shapes from the right, sizes of 1 stretched. */
function elementwise(compute: (a: number, b: number) => number) {
  return (a: Dense, b: Dense): Dense => {
    const rank = Math.max(a.shape.length, b.shape.length);
    const padded = [a, b].map(({ shape }) => [...new Array(rank - shape.length).fill(1), ...shape] as number[]) as [number[], number[]];
    const shape = padded[0].map((size, axis) => Math.max(size, padded[1][axis]!));
    const data = new Float64Array(sizeOf(shape));
    const place = (own: readonly number[], at: number): number => {
      let [index, stride] = [0, 1];
      for (let axis = rank - 1; axis >= 0; axis--) {
        if (own[axis] !== 1) index += (at % shape[axis]!) * stride;
        stride *= own[axis]!;
        at = Math.floor(at / shape[axis]!);
      }
      return index;
    };
    for (let at = 0; at < data.length; at++) data[at] = compute(a.data[place(padded[0], at)]!, b.data[place(padded[1], at)]!);
    return { data, shape };
  };
}

const each =
  (compute: (x: number) => number) =>
  ({ data, shape }: Dense): Dense => ({ data: data.map(compute), shape });

/** The last axis of every row, by a function from a row to a row. */
function overLast({ data, shape }: Dense, width: number, compute: (row: Float64Array) => ArrayLike<number>): Dense {
  const own = shape.at(-1)!;
  const result = new Float64Array((data.length / own) * width);
  for (let row = 0; row < data.length / own; row++) result.set(compute(data.subarray(row * own, (row + 1) * own)), row * width);
  return { data: result, shape: [...shape.slice(0, -1), width] };
}

export const float64: Ops<Dense> = {
  shapeOf: ({ shape }) => shape,
  number: (value) => ({ data: Float64Array.of(value), shape: [] }),
  matmul: (a, b) => {
    const [inner, outer] = b.shape as [number, number];
    return overLast(a, outer, (row) => {
      const sums = new Float64Array(outer);
      for (let i = 0; i < inner; i++) for (let o = 0; o < outer; o++) sums[o]! += row[i]! * b.data[i * outer + o]!;
      return sums;
    });
  },
  add: elementwise((a, b) => a + b),
  sub: elementwise((a, b) => a - b),
  mul: elementwise((a, b) => a * b),
  div: elementwise((a, b) => a / b),
  less: elementwise((a, b) => (a < b ? 1 : 0)),
  relu: each((x) => (x < 0 ? 0 : x)),
  tanh: each(Math.tanh),
  exp: each(Math.exp),
  sqrt: each(Math.sqrt),
  softplus: each((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  softmax: (x) =>
    overLast(x, x.shape.at(-1)!, (row) => {
      const most = row.reduce((a, b) => Math.max(a, b));
      const powers = row.map((value) => Math.exp(value - most));
      const sum = powers.reduce((a, b) => a + b);
      return powers.map((value) => value / sum);
    }),
  sum: (x) => overLast(x, 1, (row) => [row.reduce((a, b) => a + b)]),
  slice: (x, from, to) => overLast(x, to - from, (row) => row.subarray(from, to)),
  concat: (parts) => {
    const widths = parts.map(({ shape }) => shape.at(-1)!);
    const width = widths.reduce((a, b) => a + b);
    const rows = parts[0]!.data.length / widths[0]!;
    const data = new Float64Array(rows * width);
    for (let row = 0, at = 0; row < rows; row++)
      for (const [index, part] of parts.entries()) {
        data.set(part.data.subarray(row * widths[index]!, (row + 1) * widths[index]!), at);
        at += widths[index]!;
      }
    return { data, shape: [...parts[0]!.shape.slice(0, -1), width] };
  },
  reshape: ({ data }, shape) => ({ data, shape }),
};
