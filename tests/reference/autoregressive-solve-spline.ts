import * as source from '../../src/kernels/generated/autoregressive-solve-spline.js';
import { solveTwin } from './autoregressive-solve.js';
import { moveSpline } from './move-spline.js';
import { defineTwin } from './twin.js';

export const autoregressiveSolveSpline = defineTwin(source.autoregressiveSolveSpline, (call) =>
  solveTwin(call, (value, parameter) => moveSpline(call.constants, value, parameter)),
);
