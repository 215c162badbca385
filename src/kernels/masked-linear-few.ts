import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import * as source from './generated/masked-linear-few.js';
import { linearMultiplyAdds, STRIP } from './linear-strips.js';

/** A variant of `maskedLinear` for a handful of rows: a workgroup for each strip and 8 rows. */
export const maskedLinearFew = /*#__PURE__*/ defineKernel(
  source.maskedLinearFew,
  (rows, { outputs, blocks }) => [ceilDiv(rows, 8), ceilDiv(outputs, STRIP), blocks],
  linearMultiplyAdds,
);
