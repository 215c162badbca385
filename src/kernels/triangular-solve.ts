import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/triangular-solve.js';
import { perTile } from './geometry.js';

export const triangularSolve = /*#__PURE__*/ defineKernel(
  source.triangularSolve,
  (rows) => perTile(source.triangularSolve, rows),
  ({ params: { features } }) => (features * (features + 1)) / 2,
);
