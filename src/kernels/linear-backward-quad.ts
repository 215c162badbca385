import { ceilDiv, defineKernel, type Kernel } from '../runtime/kernel.js';
import * as source from './generated/linear-backward-quad.js';
import { weightMultiplyAdds } from './linear-strips.js';

/** Inputs and outputs that one workgroup takes. */
const BLOCK = 32;
/** Features that pass by at a time. */
const PASSING = 4;

type Size = Readonly<Record<'inputs' | 'outputs', number>>;

/** The larger side is held, the smaller one passes by in fours. */
const isTurned = ({ inputs, outputs }: Size): boolean => outputs > inputs;

/** A variant of `weightGradient`: one side is shared within a quad. */
export const weightGradientQuad: Kernel<typeof source.weightGradientQuad> = /*#__PURE__*/ Object.freeze({
  ...defineKernel(
    source.weightGradientQuad,
    (_, { inputs, outputs, kernel, parts }) => [
      ceilDiv(Math.max(inputs, outputs), BLOCK),
      ceilDiv(Math.min(inputs, outputs), BLOCK),
      kernel * kernel * parts,
    ],
    weightMultiplyAdds,
  ),
  settings: (params: Size) => ({ TURNED: isTurned(params), THIN: Math.min(params.inputs, params.outputs) <= PASSING }),
});
