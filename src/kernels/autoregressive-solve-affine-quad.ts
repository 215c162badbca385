import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-affine-quad.js';
import { tileKernel } from './geometry.js';

/** A variant of `autoregressiveSolveAffine`: weights shared within a quad. */
export const autoregressiveSolveAffineQuad = /*#__PURE__*/ tileKernel(source.autoregressiveSolveAffineQuad, solveMultiplyAdds);
