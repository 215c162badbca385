import * as source from './generated/diagonal-affine.js';
import { featureKernel } from './geometry.js';

export const diagonalAffine = /*#__PURE__*/ featureKernel(source.diagonalAffine);
