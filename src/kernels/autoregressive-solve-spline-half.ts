import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-spline-half.js';
import { tileKernel } from './geometry.js';

export const autoregressiveSolveSplineHalf = /*#__PURE__*/ tileKernel(source.autoregressiveSolveSplineHalf, solveMultiplyAdds);
