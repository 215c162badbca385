import * as source from './generated/permute.js';
import { featureKernel } from './geometry.js';

/** Index of a feature that becomes 0. */
export const ZERO = 0xffffffff;

export const permute = /*#__PURE__*/ featureKernel(source.permute);
