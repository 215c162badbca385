import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/linear-input-backward.js';
import { tileKernel } from './geometry.js';
import { STRIP } from './masked-linear.js';

/** Outputs that one invocation computes. */
const OUTPUTS = 2 * STRIP;

export const linearInput = /*#__PURE__*/ tileKernel(
  source.linearInput,
  ({ params: { inputs, outputs, blocks } }) => inputs * outputs * blocks,
  ({ outputs, blocks }) => [ceilDiv(outputs, OUTPUTS), blocks],
);
