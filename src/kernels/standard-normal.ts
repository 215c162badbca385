import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/standard-normal.js';
import { featureKernel, rowKernel } from './geometry.js';

export const standardNormal = {
  sample: /*#__PURE__*/ featureKernel(source.sample, ({ dim }) => ceilDiv(dim, 4)),
  logDensity: /*#__PURE__*/ rowKernel(source.logDensity),
};
