import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/masked-linear.js';
import { tileKernel } from './geometry.js';
import { linearMultiplyAdds, STRIP } from './linear-strips.js';

export const maskedLinear = /*#__PURE__*/ tileKernel(source.maskedLinear, linearMultiplyAdds, ({ outputs, blocks }) => [
  ceilDiv(outputs, STRIP),
  blocks,
]);
