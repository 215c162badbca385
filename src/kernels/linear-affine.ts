import type { Kernel } from '../runtime/kernel.js';
import * as source from './generated/linear-affine.js';
import { quadKernel } from './linear-strips.js';

const quad = /*#__PURE__*/ quadKernel(source.linearAffine);

export const linearAffine: Kernel<typeof source.linearAffine> = {
  ...quad,
  settings: (params) => ({ ...quad.settings!(params), PASSES: params.features > params.slots }),
};
