import * as source from './generated/masked-linear.js';
import { stripKernel } from './linear-strips.js';

export const maskedLinear = /*#__PURE__*/ stripKernel(source.maskedLinear);
