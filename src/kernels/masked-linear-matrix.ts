import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/masked-linear-matrix.js';
import { tileKernel } from './geometry.js';
import { linearMultiplyAdds, STRIP } from './linear-strips.js';

/** A variant of `maskedLinear`: two strips an invocation, as products of matrices. */
export const maskedLinearMatrix = /*#__PURE__*/ tileKernel(source.maskedLinearMatrix, linearMultiplyAdds, ({ outputs, blocks }) => [
  ceilDiv(outputs, 2 * STRIP),
  blocks,
]);
