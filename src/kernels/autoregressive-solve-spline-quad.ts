import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-spline-quad.js';
import { tileKernel } from './geometry.js';

/** A variant of `autoregressiveSolveSpline`: weights shared within a quad. */
export const autoregressiveSolveSplineQuad = /*#__PURE__*/ tileKernel(source.autoregressiveSolveSplineQuad, solveMultiplyAdds);
