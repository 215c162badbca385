import { defineKernel } from '../runtime/kernel.js';
import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-affine.js';
import { perTile } from './geometry.js';

export const autoregressiveSolveAffine = /*#__PURE__*/ defineKernel(
  source.autoregressiveSolveAffine,
  (rows) => perTile(source.autoregressiveSolveAffine, rows),
  solveMultiplyAdds,
);
