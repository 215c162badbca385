import * as source from './generated/residual-solve.js';
import { tileKernel } from './geometry.js';

/** Words of a layer in the table of shaders/lib/row-net.wgsl. */
export const LAYER_WORDS = 7;

export const residualSolve = /*#__PURE__*/ tileKernel(source.residualSolve);

/** Plain fixed-point steps that shrink the residual of a contraction by `factor` for certain: the smallest n with L^n <= factor. */
export const fixedPointSteps = (lipschitz: number, factor: number): number =>
  lipschitz === 0 ? 1 : Math.max(1, Math.ceil(Math.log(factor) / Math.log(lipschitz)));

/** Evaluations that may pass without progress: as many as halve the residual, so that its rounding does not look like the end. Near rounding eight are enough. */
export const patienceFor = (lipschitz: number): number => Math.max(3, fixedPointSteps(lipschitz, 0.5));

/** Steps that Broyden's update remembers. It ends in 2 D steps on a linear map; beyond a dozen it starts anew. */
export const memoryFor = (dim: number): number => Math.min(12, 2 * dim + 2);
