import * as source from './generated/runge-kutta.js';
import { featureKernel, rowKernel } from './geometry.js';

export const rungeKutta = {
  advance: /*#__PURE__*/ featureKernel(source.advance),
  stepError: /*#__PURE__*/ rowKernel(source.stepError),
};

/** What step_error writes for a row that was not finite before the step, and for one that the step made so. */
export const ROW_LOST = -1;
export const ROW_FAILED = -2;
