import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/residual-solve.js';
import { perTile } from './geometry.js';

/** Words of a layer in the table of shaders/lib/row-net.wgsl. */
export const LAYER_WORDS = 7;

export const residualSolve = /*#__PURE__*/ defineKernel(source.residualSolve, (rows) => perTile(source.residualSolve, rows));
