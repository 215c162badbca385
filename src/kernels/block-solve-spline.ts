import { blockKernel } from './block-solve.js';
import * as source from './generated/block-solve-spline.js';

export const blockSolveSpline = /*#__PURE__*/ blockKernel(source.blockSolveSpline);
