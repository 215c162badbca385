import * as source from './generated/masked-linear-quad.js';
import { quadKernel } from './linear-strips.js';

/** A variant of `maskedLinear`: 8 rows and 128 outputs an invocation, weights shared within a quad. */
export const maskedLinearQuad = /*#__PURE__*/ quadKernel(source.maskedLinearQuad);
