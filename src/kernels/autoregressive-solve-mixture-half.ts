import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-mixture-half.js';
import { tileKernel } from './geometry.js';

export const autoregressiveSolveMixtureHalf = /*#__PURE__*/ tileKernel(source.autoregressiveSolveMixtureHalf, solveMultiplyAdds);
