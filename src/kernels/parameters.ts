import { ceilDiv, defineKernel, type Grid } from '../runtime/kernel.js';
import type { Recorder } from '../runtime/recorder.js';
import type { TableTensor, Tensor } from '../runtime/tensor.js';
import * as source from './generated/parameters.js';

/** Top bit of a place: the parameter counts negatively. */
export const NEGATIVE = 0x80000000;

/** Workgroups along x at most; shaders/parameters.wgsl, `WIDTH`. */
const ACROSS = 65535;

/** One invocation for each element of a table. */
const perElement = (workgroupSize: readonly [number, number, number], length: number): Grid => {
  const groups = ceilDiv(length, workgroupSize[0]);
  return [Math.min(groups, ACROSS), ceilDiv(groups, ACROSS), 1];
};

export const gather = /*#__PURE__*/ defineKernel(source.gather, (_, { length }) => perElement(source.gather.workgroupSize, length));
export const scatter = /*#__PURE__*/ defineKernel(source.scatter, (_, { length }) => perElement(source.scatter.workgroupSize, length));
export const clear = /*#__PURE__*/ defineKernel(source.clear, (_, { length }) => perElement(source.clear.workgroupSize, length));

/** Records a table whose element i is `from[place[i] - 1]`, negative with the top bit; `initial[i]` where the place is 0. */
export function recordGather(
  r: Recorder,
  from: Tensor,
  place: Uint32Array<ArrayBuffer>,
  initial: Float32Array<ArrayBuffer>,
  label: string,
): TableTensor {
  const table = r.table(place.length, label);
  r.run(gather, {
    buffers: { parameters: from, place: r.constant(place, 'places'), initial: r.constant(initial, `initial ${label}`), table },
    params: { length: place.length, factor: 0 },
  });
  return table;
}
