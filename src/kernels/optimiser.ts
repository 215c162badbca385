import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/optimiser.js';
import { elementKernel, listKernel } from './geometry.js';

/** Parameters of one partial sum of squares. */
export const NORM_BLOCK = 256;
/** Parameters of an invocation of `update`. */
const SHARE = 4;
/** Numbers of the optimiser's own state. */
export const CONTROL = 8;
/** Places in it; shaders/optimiser.wgsl. */
export const CONTROL_AT = { step: 0, rate: 1, norm: 5, failed: 6 } as const;

export const METHOD_NUMBER = { adam: 0, adamw: 1, sgd: 2 } as const;
export const SCHEDULE_NUMBER = { constant: 0, cosine: 1, step: 2 } as const;

export const optimiser = {
  squareSums: /*#__PURE__*/ listKernel(source.squareSums, ({ blocks }) => blocks),
  control: /*#__PURE__*/ listKernel(source.control, () => 1),
  update: /*#__PURE__*/ elementKernel(source.update, ({ length }) => length, SHARE),
};

/** Numbers of each list that `update` takes, of so many parameters: those of whole workgroups, zeros behind. */
export function updateLength(count: number): number {
  const block = SHARE * source.update.workgroupSize[0];
  return block * ceilDiv(count, block);
}
