import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-spline.js';
import { tileKernel } from './geometry.js';

export const autoregressiveSolveSpline = /*#__PURE__*/ tileKernel(source.autoregressiveSolveSpline, solveMultiplyAdds);
