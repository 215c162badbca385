import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-mixture-team.js';
import { tileKernel } from './geometry.js';

/** A variant of `autoregressiveSolveMixture`: a workgroup for a tile of rows. */
export const autoregressiveSolveMixtureTeam = /*#__PURE__*/ tileKernel(source.autoregressiveSolveMixtureTeam, solveMultiplyAdds);
