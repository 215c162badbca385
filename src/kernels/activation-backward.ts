import * as source from './generated/activation-backward.js';
import { featureKernel } from './geometry.js';

export const activationBackward = /*#__PURE__*/ featureKernel(source.activationBackward);
