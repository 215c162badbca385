import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import * as source from './generated/masked-linear.js';
import { perTile } from './geometry.js';

/** Outputs that one invocation computes; weights are packed in strips of as many. */
export const STRIP = 8;

export const maskedLinear = defineKernel(source.maskedLinear, (rows, { outputs, blocks }) => {
  const [x, y] = perTile(source.maskedLinear, rows, ceilDiv(outputs, STRIP));
  return [x, y, blocks];
});
