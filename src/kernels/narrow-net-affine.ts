import * as source from './generated/narrow-net-affine.js';
import { narrowNetKernel } from './narrow-net.js';

export const narrowNetAffine = /*#__PURE__*/ narrowNetKernel(source.narrowNetAffine);
