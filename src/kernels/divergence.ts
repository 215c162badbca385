import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import * as source from './generated/divergence.js';
import { perRowGroup, perRowGroupAndFeature } from './geometry.js';

/** `hidden` is the number of probes for `probes` and `probeSum`. */
export const divergence = {
  trace: /*#__PURE__*/ defineKernel(source.trace, (rows) => perRowGroup(source.trace, rows)),
  probes: /*#__PURE__*/ defineKernel(source.probes, (rows, { dim, hidden }) =>
    perRowGroupAndFeature(source.probes, rows, ceilDiv(dim, 4) * hidden),
  ),
  probeSum: /*#__PURE__*/ defineKernel(source.probeSum, (rows) => perRowGroup(source.probeSum, rows)),
};
