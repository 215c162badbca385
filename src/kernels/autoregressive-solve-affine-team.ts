import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-affine-team.js';
import { tileKernel } from './geometry.js';

/** A variant of `autoregressiveSolveAffine`: a workgroup for a tile of rows. */
export const autoregressiveSolveAffineTeam = /*#__PURE__*/ tileKernel(source.autoregressiveSolveAffineTeam, solveMultiplyAdds);
