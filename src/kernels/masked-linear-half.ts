import * as source from './generated/masked-linear-half.js';
import { stripKernel } from './linear-strips.js';

/** `maskedLinear` with weights in float16. */
export const maskedLinearHalf = /*#__PURE__*/ stripKernel(source.maskedLinearHalf);
