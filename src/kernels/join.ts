import * as source from './generated/join.js';
import { featureKernel } from './geometry.js';

export const join = /*#__PURE__*/ featureKernel(source.join);
