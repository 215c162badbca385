import type { Kernel } from '../runtime/kernel.js';
import * as source from './generated/linear-input-affine.js';
import { quadKernel } from './linear-strips.js';

const quad = /*#__PURE__*/ quadKernel(source.linearInputAffine, true);

export const linearInputAffine: Kernel<typeof source.linearInputAffine> = {
  ...quad,
  settings: (params) => ({ ...quad.settings!(params), PASSES: params.outputs > params.slots }),
};
