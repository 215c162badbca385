import * as source from './generated/implicit.js';
import { featureKernel } from './geometry.js';

export const implicit = /*#__PURE__*/ featureKernel(source.implicit);
