import * as source from './generated/mixture-backward.js';
import { featureKernel } from './geometry.js';

export const mixtureTransformerBackward = /*#__PURE__*/ featureKernel(source.mixtureBackward);
