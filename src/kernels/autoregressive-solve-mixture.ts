import { defineKernel } from '../runtime/kernel.js';
import { solveMultiplyAdds } from './autoregressive-solve.js';
import * as source from './generated/autoregressive-solve-mixture.js';
import { perTile } from './geometry.js';

export const autoregressiveSolveMixture = /*#__PURE__*/ defineKernel(
  source.autoregressiveSolveMixture,
  (rows) => perTile(source.autoregressiveSolveMixture, rows),
  solveMultiplyAdds,
);
