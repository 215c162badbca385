import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/masked-linear.js';
import { tileKernel } from './geometry.js';
import { linearMultiplyAdds, STRIP } from './linear-strips.js';
import { maskedLinearMatrix } from './masked-linear-matrix.js';

/**
 * Inputs from which products of matrices are taken where they are known to be faster. Narrower layers keep the longer runs in order: ill-conditioned
 * flows of width 64 come out nearer to PyTorch's with them (docs/kernels.md).
 */
const WIDE = 96;

export const maskedLinear = /*#__PURE__*/ tileKernel(
  source.maskedLinear,
  linearMultiplyAdds,
  ({ outputs, blocks }) => [ceilDiv(outputs, STRIP), blocks],
  ({ inputs }, adapter) => (adapter === 'swiftshader' && inputs >= WIDE ? maskedLinearMatrix : null),
);
