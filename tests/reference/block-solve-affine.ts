import * as source from '../../src/kernels/generated/block-solve-affine.js';
import { moveAffine } from './affine-scale.js';
import { blockTwin } from './block-solve.js';
import { defineTwin } from './twin.js';

export const blockSolveAffine = defineTwin(source.blockSolveAffine, (call) =>
  blockTwin(call, (value, parameter) => moveAffine(call.constants, value, parameter(0), call.constants.SCALE === 0 ? 0 : parameter(1))),
);
