import { ceilDiv, defineKernel, type Kernel } from '../runtime/kernel.js';
import * as source from './generated/linear-backward-quad.js';
import { weightMultiplyAdds } from './linear-strips.js';

/** Features that one workgroup holds, and that pass by it: at most, and at a time. */
const HELD = 32;
const PASSING = 64;
const AT_A_TIME = 4;

type Size = Readonly<Record<'inputs' | 'outputs', number>>;

/** The larger side is held, the smaller one passes by in fours. */
const isTurned = ({ inputs, outputs }: Size): boolean => outputs > inputs;

/** A variant of `weightGradient`: one side is shared within a quad. */
export const weightGradientQuad: Kernel<typeof source.weightGradientQuad> = /*#__PURE__*/ Object.freeze({
  ...defineKernel(
    source.weightGradientQuad,
    (_, { inputs, outputs, kernel, parts }) => [
      ceilDiv(Math.max(inputs, outputs), HELD),
      ceilDiv(Math.min(inputs, outputs), PASSING),
      kernel * kernel * parts,
    ],
    weightMultiplyAdds,
  ),
  settings: (params: Size) => ({ TURNED: isTurned(params), THIN: Math.min(params.inputs, params.outputs) <= AT_A_TIME }),
});
