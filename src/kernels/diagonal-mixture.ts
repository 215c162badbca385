import * as source from './generated/diagonal-mixture.js';
import { rowKernel } from './geometry.js';

export const diagonalMixture = {
  sample: /*#__PURE__*/ rowKernel(source.sample),
  logDensity: /*#__PURE__*/ rowKernel(source.logDensity),
};
