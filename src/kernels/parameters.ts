import type { Recorder } from '../runtime/recorder.js';
import { NONE, sliced, type TableTensor, type Tensor } from '../runtime/tensor.js';
import * as source from './generated/parameters.js';
import { elementKernel } from './geometry.js';

/** Top bit of a place: the parameter counts negatively. */
export const NEGATIVE = 0x80000000;

export const gather = /*#__PURE__*/ elementKernel(source.gather, ({ length }) => length, 4);
export const scatter = /*#__PURE__*/ elementKernel(source.scatter, ({ length }) => length, 4);
export const products = /*#__PURE__*/ elementKernel(source.products, ({ length }) => length);
export const clear = /*#__PURE__*/ elementKernel(source.clear, ({ length }) => length, 16);

/** Records a table whose element i is `from[place[i] - 1]`, negative with the top bit; where the place is 0, `initial[i]`, or 0 without any. */
export function recordGather(
  r: Recorder,
  from: Tensor,
  place: Uint32Array<ArrayBuffer>,
  initial: Float32Array<ArrayBuffer> | null,
  label: string,
): TableTensor {
  const table = r.table(place.length, label);
  recordGatherInto(r, from, place, initial, table);
  return table;
}

function recordGatherInto(
  r: Recorder,
  from: Tensor,
  place: Uint32Array<ArrayBuffer>,
  initial: Float32Array<ArrayBuffer> | null,
  table: TableTensor,
): void {
  const given = initial?.some((value, i) => value !== 0 && place[i] === 0) ? initial : null;
  r.run(gather, {
    buffers: {
      parameters: from,
      place: r.constant(place, 'places'),
      initial: given ? r.constant(given, `initial ${table.label}`) : NONE,
      table,
    },
    params: { length: place.length },
    constants: { ZEROS: given === null },
  });
}

/** Records table = from. */
export const recordCopy = (r: Recorder, from: Tensor, table: TableTensor): void =>
  recordGatherInto(
    r,
    from,
    Uint32Array.from({ length: table.length }, (_, i) => 1 + i),
    null,
    table,
  );

/** Tables of so many numbers, which one command sets to 0 in the stage that is being recorded. */
export function recordZeros(r: Recorder, tables: Readonly<Record<string, number>>): TableTensor[] {
  const starts: number[] = [];
  let length = 0;
  for (const count of Object.values(tables)) {
    starts.push(length);
    length += sliced(count);
  }
  const all = r.table(length, Object.keys(tables).join(', '));
  recordClear(r, all);
  return Object.entries(tables).map(([label, count], index) => r.part(all, starts[index]!, count, label));
}

/** Records table = 0, in the stage that is being recorded. */
export const recordClear = (r: Recorder, table: TableTensor): void =>
  r.run(clear, { buffers: { table }, params: { length: table.length } });
