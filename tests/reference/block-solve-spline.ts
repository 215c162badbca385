import * as source from '../../src/kernels/generated/block-solve-spline.js';
import { blockTwin } from './block-solve.js';
import { moveSpline } from './move-spline.js';
import { defineTwin } from './twin.js';

export const blockSolveSpline = defineTwin(source.blockSolveSpline, (call) =>
  blockTwin(call, (value, parameter) => moveSpline(call.constants, value, parameter)),
);
