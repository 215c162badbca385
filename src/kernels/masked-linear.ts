import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import * as source from './generated/masked-linear.js';
import { perTile } from './geometry.js';

/** Outputs that one invocation computes; weights are packed in strips of as many. */
export const STRIP = 8;

export const maskedLinear = defineKernel(
  source.maskedLinear,
  (rows, { outputs, blocks }) => {
    const [x, y] = perTile(source.maskedLinear, rows, ceilDiv(outputs, STRIP));
    return [x, y, blocks];
  },
  ({ buffers: { ranges }, params: { inputs, outputs, blocks } }) => {
    if (ranges.kind !== 'constant') return inputs * outputs * blocks;
    let taken = 0;
    for (let at = 0; at < ranges.data.length; at += 2) taken += ranges.data[at + 1]! - ranges.data[at]!;
    return taken * STRIP * blocks;
  },
);
