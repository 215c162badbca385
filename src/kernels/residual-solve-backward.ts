import * as source from './generated/residual-solve-backward.js';
import { tileKernel } from './geometry.js';

export const residualSolveBackward = /*#__PURE__*/ tileKernel(source.residualSolveBackward);
