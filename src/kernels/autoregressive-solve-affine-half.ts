import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-affine-half.js';
import { tileKernel } from './geometry.js';

export const autoregressiveSolveAffineHalf = /*#__PURE__*/ tileKernel(source.autoregressiveSolveAffineHalf, solveMultiplyAdds);
