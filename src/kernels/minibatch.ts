import * as source from './generated/minibatch.js';
import { rowKernel } from './geometry.js';

export const minibatch = /*#__PURE__*/ rowKernel(source.minibatch);

/** Half the bits of an index below `count`, as the shuffle's network wants them. */
export const halfBits = (count: number): number => Math.max(1, Math.ceil(Math.log2(Math.max(2, count)) / 2));
