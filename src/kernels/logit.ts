import * as source from './generated/logit.js';
import { featureKernel } from './geometry.js';

export const logit = /*#__PURE__*/ featureKernel(source.logit);
