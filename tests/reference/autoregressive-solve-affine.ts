import * as source from '../../src/kernels/generated/autoregressive-solve-affine.js';
import { moveAffine } from './affine-scale.js';
import { solveTwin } from './autoregressive-solve.js';
import { defineTwin } from './twin.js';

export const autoregressiveSolveAffine = defineTwin(source.autoregressiveSolveAffine, (call) =>
  solveTwin(call, (value, parameter) => moveAffine(call.constants, value, parameter(0), call.constants.SCALE === 0 ? 0 : parameter(1))),
);
