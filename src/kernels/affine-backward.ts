import * as source from './generated/affine-backward.js';
import { featureKernel } from './geometry.js';

export const affineBackward = /*#__PURE__*/ featureKernel(source.affineBackward);
