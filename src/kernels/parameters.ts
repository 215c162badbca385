import type { Recorder } from '../runtime/recorder.js';
import type { TableTensor, Tensor } from '../runtime/tensor.js';
import * as source from './generated/parameters.js';
import { elementKernel } from './geometry.js';

/** Top bit of a place: the parameter counts negatively. */
export const NEGATIVE = 0x80000000;

export const gather = /*#__PURE__*/ elementKernel(source.gather, ({ length }) => length, 4);
export const scatter = /*#__PURE__*/ elementKernel(source.scatter, ({ length }) => length, 4);
export const products = /*#__PURE__*/ elementKernel(source.products, ({ length }) => length);
export const clear = /*#__PURE__*/ elementKernel(source.clear, ({ length }) => length, 16);

/** Records a table whose element i is `from[place[i] - 1]`, negative with the top bit; `initial[i]` where the place is 0. */
export function recordGather(
  r: Recorder,
  from: Tensor,
  place: Uint32Array<ArrayBuffer>,
  initial: Float32Array<ArrayBuffer>,
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
  initial: Float32Array<ArrayBuffer>,
  table: TableTensor,
): void {
  r.run(gather, {
    buffers: { parameters: from, place: r.constant(place, 'places'), initial: r.constant(initial, `initial ${table.label}`), table },
    params: { length: place.length, factor: 0 },
  });
}

/** Records table = from. */
export const recordCopy = (r: Recorder, from: Tensor, table: TableTensor): void =>
  recordGatherInto(
    r,
    from,
    Uint32Array.from({ length: table.length }, (_, i) => 1 + i),
    new Float32Array(4),
    table,
  );

/** Records table = 0, in the stage that is being recorded. */
export const recordClear = (r: Recorder, table: TableTensor): void =>
  r.run(clear, { buffers: { table }, params: { length: table.length, factor: 0 } });
