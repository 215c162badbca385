import { ceilDiv, defineKernel, type Kernel } from '../runtime/kernel.js';
import * as source from './generated/linear-backward-quad.js';
import { weightGradient } from './linear-backward.js';

/** Inputs and outputs that one workgroup takes. */
const BLOCK = 32;

/** The larger side is held, the smaller one passes by in fours. */
const isTurned = ({ inputs, outputs }: { readonly inputs: number; readonly outputs: number }): boolean => outputs > inputs;

/** A variant of `weightGradient`: one side is shared within a quad. */
export const weightGradientQuad: Kernel<typeof source.weightGradientQuad> = {
  .../*#__PURE__*/ defineKernel(
    source.weightGradientQuad,
    (_, { inputs, outputs, kernel, parts }) => [
      ceilDiv(Math.max(inputs, outputs), BLOCK),
      ceilDiv(Math.min(inputs, outputs), BLOCK),
      kernel * kernel * parts,
    ],
    weightGradient.multiplyAdds as never,
  ),
  settings: (params) => ({ TURNED: isTurned(params) }),
};
