import * as source from './generated/triangular-solve.js';
import { tileKernel } from './geometry.js';

export const triangularSolve = /*#__PURE__*/ tileKernel(
  source.triangularSolve,
  ({ params: { features } }) => (features * (features + 1)) / 2,
);
