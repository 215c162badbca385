import * as source from './generated/bounded-backward.js';
import { featureKernel } from './geometry.js';

export const boundedBackward = /*#__PURE__*/ featureKernel(source.boundedBackward);
