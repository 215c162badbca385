import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/divergence.js';
import { featureKernel, rowKernel } from './geometry.js';

/** Numbers as in shaders/divergence.wgsl and shaders/residual-series.wgsl. */
export const PROBE_NUMBER = { unit: 0, rademacher: 1, gaussian: 2 } as const;

/** `domain` of the random numbers of each kind of layer, so that none shares them with another. */
export const PROBE_DOMAIN = { solve: 2, residual: 3 } as const;

/** `largest` word that counts: every one. */
export const EVERY_PROBE = 0xffffffff;

/** `hidden` is the number of probes for `probes` and `probeSum`. */
export const divergence = {
  trace: /*#__PURE__*/ rowKernel(source.trace),
  probes: /*#__PURE__*/ featureKernel(source.probes, ({ dim, hidden }) => ceilDiv(dim, 4) * hidden),
  probeSum: /*#__PURE__*/ rowKernel(source.probeSum),
};
