import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-spline-team.js';
import { tileKernel } from './geometry.js';

/** A variant of `autoregressiveSolveSpline`: a workgroup for a tile of rows. */
export const autoregressiveSolveSplineTeam = /*#__PURE__*/ tileKernel(source.autoregressiveSolveSplineTeam, solveMultiplyAdds);
