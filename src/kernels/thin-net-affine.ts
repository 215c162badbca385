import type { Kernel } from '../runtime/kernel.js';
import * as source from './generated/thin-net-affine.js';
import { thinNetKernel } from './thin-net.js';

const net = /*#__PURE__*/ thinNetKernel(source.thinNetAffine);

export const thinNetAffine: Kernel<typeof source.thinNetAffine> = {
  ...net,
  settings: (params) => ({ ...net.settings!(params), SLOTS: params.slots, PASSES: params.features > params.slots }),
};
