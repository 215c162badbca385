import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/runge-kutta.js';
import { perRowGroup, perRowGroupAndFeature } from './geometry.js';

export const rungeKutta = {
  advance: /*#__PURE__*/ defineKernel(source.advance, (rows, { features }) => perRowGroupAndFeature(source.advance, rows, features)),
  stepError: /*#__PURE__*/ defineKernel(source.stepError, (rows) => perRowGroup(source.stepError, rows)),
};

/** What step_error writes for a row that was not finite before the step, and for one that the step made so. */
export const ROW_LOST = -1;
export const ROW_FAILED = -2;
