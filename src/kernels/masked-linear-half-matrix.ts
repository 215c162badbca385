import * as source from './generated/masked-linear-half-matrix.js';
import { stripKernel } from './linear-strips.js';

/** A variant of `maskedLinearHalf`: two strips an invocation, as products of matrices. */
export const maskedLinearHalfMatrix = /*#__PURE__*/ stripKernel(source.maskedLinearHalfMatrix, 2);
