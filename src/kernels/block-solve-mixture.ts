import { blockKernel } from './block-solve.js';
import * as source from './generated/block-solve-mixture.js';

export const blockSolveMixture = /*#__PURE__*/ blockKernel(source.blockSolveMixture);
