import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-affine.js';
import { tileKernel } from './geometry.js';

export const autoregressiveSolveAffine = /*#__PURE__*/ tileKernel(source.autoregressiveSolveAffine, solveMultiplyAdds);
