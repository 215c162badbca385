import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/masked-linear-shared.js';
import { tileKernel } from './geometry.js';
import { linearMultiplyAdds, STRIP } from './linear-strips.js';

/** A variant of `maskedLinear`: tiles in workgroup memory, a strip a row of the workgroup. */
export const maskedLinearShared = /*#__PURE__*/ tileKernel(source.maskedLinearShared, linearMultiplyAdds, ({ outputs, blocks }) => [
  ceilDiv(outputs, STRIP),
  blocks,
]);
