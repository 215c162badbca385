import * as source from './generated/quad-linear.js';
import { quadKernel } from './linear-strips.js';

/** `maskedLinearQuad` with weights that are packed for it: [ceil(outputs / 4), ceil(inputs / 4), 4 outputs, 4 inputs]. */
export const quadLinear = /*#__PURE__*/ quadKernel(source.quadLinear);
