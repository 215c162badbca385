import * as source from './generated/mixture.js';
import { featureKernel } from './geometry.js';

export const mixture = /*#__PURE__*/ featureKernel(source.mixture);
