// What all sequential solves share: the words of a task, as in shaders/lib/autoregressive-solve.wgsl; src/flows/conditioner/solve-plan.ts
// writes them.

import type { Tensor } from '../runtime/tensor.js';

/** A solve uses each packed weight once a row; two float16 are a word. */
export const solveMultiplyAdds = ({ buffers: { weight } }: { readonly buffers: { readonly weight: Tensor } }): number =>
  weight.kind === 'constant' ? weight.data.length * (weight.dtype === 'u32' ? 2 : 1) : 0;

export const TASK_WORDS = 20;
export const TASK_KIND = { strip8: 0, strip4: 1, feature: 2 } as const;
export const TASK_HAS_SCALE = 256;
export const TASK_HAS_SKIP = 512;
export const TASK_PLAIN = 1024;
/** Word of a feature: the state row that it comes from, or TASK_NONE. */
export const TASK_FROM_STATE = 5;
/** Word of a strip: the row of `side` in which its sums begin, or TASK_NONE. */
export const TASK_PANEL = 11;
/** Word of the first of up to 8 skip rows. */
export const TASK_SKIPS = 12;
export const TASK_NONE = 0xffffffff;
