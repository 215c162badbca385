import { defineKernel } from '../runtime/kernel.js';
import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-spline.js';
import { perTile } from './geometry.js';

export const autoregressiveSolveSpline = /*#__PURE__*/ defineKernel(
  source.autoregressiveSolveSpline,
  (rows) => perTile(source.autoregressiveSolveSpline, rows),
  solveMultiplyAdds,
);
