import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/bernoulli.js';
import { featureKernel, rowKernel } from './geometry.js';

export const bernoulli = {
  sample: /*#__PURE__*/ featureKernel(source.sample, ({ dim }) => ceilDiv(dim, 4)),
  logMass: /*#__PURE__*/ rowKernel(source.logMass),
};
