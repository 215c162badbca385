import { blockKernel } from './block-solve.js';
import * as source from './generated/block-solve-affine.js';

export const blockSolveAffine = /*#__PURE__*/ blockKernel(source.blockSolveAffine);
