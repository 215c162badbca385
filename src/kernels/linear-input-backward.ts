import { ceilDiv } from '../runtime/kernel.js';
import { VALUE_NUMBER } from './activation-backward.js';
import * as source from './generated/linear-input-backward.js';
import { tileKernel } from './geometry.js';
import { STRIP } from './linear-strips.js';

/** Activations whose slope it takes along. Softplus is left out: its exponential, 64 times in the kernel, takes seconds to compile. */
export const SLOPES: ReadonlySet<number> = /*#__PURE__*/ new Set(
  Object.values(VALUE_NUMBER).filter((kind) => kind !== VALUE_NUMBER.softplus),
);

/** Outputs that one invocation computes. */
const OUTPUTS = 2 * STRIP;

export const linearInput = /*#__PURE__*/ tileKernel(
  source.linearInput,
  ({ params: { inputs, outputs, blocks } }) => inputs * outputs * blocks,
  ({ outputs, blocks }) => [ceilDiv(outputs, OUTPUTS), blocks],
);
