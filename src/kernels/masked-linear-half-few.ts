import * as source from './generated/masked-linear-half-few.js';
import { fewRowsKernel } from './linear-strips.js';

/** A variant of `maskedLinearHalf` for a handful of rows. */
export const maskedLinearHalfFew = /*#__PURE__*/ fewRowsKernel(source.maskedLinearHalfFew);
