import * as source from './generated/spline-backward.js';
import { featureKernel } from './geometry.js';

export const splineBackward = /*#__PURE__*/ featureKernel(source.splineBackward);
