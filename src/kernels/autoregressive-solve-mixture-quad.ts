import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-mixture-quad.js';
import { tileKernel } from './geometry.js';

/** A variant of `autoregressiveSolveMixture`: weights shared within a quad. */
export const autoregressiveSolveMixtureQuad = /*#__PURE__*/ tileKernel(source.autoregressiveSolveMixtureQuad, solveMultiplyAdds);
