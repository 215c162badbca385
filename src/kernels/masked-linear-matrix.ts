import * as source from './generated/masked-linear-matrix.js';
import { stripKernel } from './linear-strips.js';

/** A variant of `maskedLinear`: two strips an invocation, as products of matrices. */
export const maskedLinearMatrix = /*#__PURE__*/ stripKernel(source.maskedLinearMatrix, 2);
