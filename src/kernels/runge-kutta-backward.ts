import * as source from './generated/runge-kutta-backward.js';
import { featureKernel } from './geometry.js';

export const advanceBackward = /*#__PURE__*/ featureKernel(source.advanceBackward);
