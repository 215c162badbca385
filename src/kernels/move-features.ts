import * as source from './generated/move-features.js';
import { featureKernel } from './geometry.js';

export const moveFeatures = /*#__PURE__*/ featureKernel(source.moveFeatures);
