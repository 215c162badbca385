import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import * as source from './generated/optimiser.js';

/** Parameters of one partial sum of squares. */
export const NORM_BLOCK = 256;
/** Numbers of the optimiser's own state. */
export const CONTROL = 8;
/** Places in it; shaders/optimiser.wgsl. */
export const CONTROL_AT = { step: 0, rate: 1, norm: 5, failed: 6 } as const;

export const METHOD_NUMBER = { adam: 0, adamw: 1, sgd: 2 } as const;
export const SCHEDULE_NUMBER = { constant: 0, cosine: 1, step: 2 } as const;

/** Workgroups of 64 along x at most; shaders/optimiser.wgsl, `update`. */
const ACROSS = 65535;

export const optimiser = {
  squareSums: /*#__PURE__*/ defineKernel(source.squareSums, (_, { blocks }) => [ceilDiv(blocks, 64), 1, 1]),
  control: /*#__PURE__*/ defineKernel(source.control, () => [1, 1, 1]),
  update: /*#__PURE__*/ defineKernel(source.update, (_, { length }) => {
    const groups = ceilDiv(length, 64);
    return [Math.min(groups, ACROSS), ceilDiv(groups, ACROSS), 1];
  }),
};
