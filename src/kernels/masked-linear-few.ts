import * as source from './generated/masked-linear-few.js';
import { fewRowsKernel } from './linear-strips.js';

/** A variant of `maskedLinear` for a handful of rows. */
export const maskedLinearFew = /*#__PURE__*/ fewRowsKernel(source.maskedLinearFew);
