import * as source from './generated/masked-linear-shared.js';
import { stripKernel } from './linear-strips.js';

/** A variant of `maskedLinear`: tiles in workgroup memory, a strip a row of the workgroup. */
export const maskedLinearShared = /*#__PURE__*/ stripKernel(source.maskedLinearShared);
