import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/divergence.js';
import { featureKernel, rowKernel } from './geometry.js';

/** `hidden` is the number of probes for `probes` and `probeSum`. */
export const divergence = {
  trace: /*#__PURE__*/ rowKernel(source.trace),
  probes: /*#__PURE__*/ featureKernel(source.probes, ({ dim, hidden }) => ceilDiv(dim, 4) * hidden),
  probeSum: /*#__PURE__*/ rowKernel(source.probeSum),
};
