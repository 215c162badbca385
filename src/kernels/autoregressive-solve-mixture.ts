import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-mixture.js';
import { tileKernel } from './geometry.js';

export const autoregressiveSolveMixture = /*#__PURE__*/ tileKernel(source.autoregressiveSolveMixture, solveMultiplyAdds);
