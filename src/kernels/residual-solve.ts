import * as source from './generated/residual-solve.js';
import { tileKernel } from './geometry.js';

/** Words of a layer in the table of shaders/lib/row-net.wgsl. */
export const LAYER_WORDS = 7;

export const residualSolve = /*#__PURE__*/ tileKernel(source.residualSolve);
