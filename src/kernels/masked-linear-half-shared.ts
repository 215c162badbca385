import * as source from './generated/masked-linear-half-shared.js';
import { stripKernel } from './linear-strips.js';

/** A variant of `maskedLinearHalf`: tiles in workgroup memory, a strip a row of the workgroup. */
export const maskedLinearHalfShared = /*#__PURE__*/ stripKernel(source.maskedLinearHalfShared);
