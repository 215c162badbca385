import * as source from './generated/masked-linear-half-quad.js';
import { quadKernel } from './linear-strips.js';

/** A variant of `maskedLinearHalf`: as `maskedLinearQuad`. */
export const maskedLinearHalfQuad = /*#__PURE__*/ quadKernel(source.maskedLinearHalfQuad);
