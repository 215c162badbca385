import * as source from './generated/bounded.js';
import { featureKernel } from './geometry.js';

/** What a feature is mapped to, by the numbers of shaders/bounded.wgsl. */
export const SUPPORT_NUMBER = { line: 0, interval: 1, tanh: 2, softplus: 3, exp: 4 } as const;

export const bounded = /*#__PURE__*/ featureKernel(source.bounded);
