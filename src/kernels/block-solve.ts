// What the solves by blocks share: the words of a task, as in shaders/lib/block-tasks.wgsl; src/tuning/block-tasks.ts writes them.

import type { Kernel, KernelSource } from '../runtime/kernel.js';
import type { Tensor } from '../runtime/tensor.js';
import { tileKernel } from './geometry.js';

export const BLOCK_WORDS = 8;
/** Beside the numbers of stages. */
export const BLOCK_FEATURE = 8;
export const BLOCK_ADDS = 1;
export const BLOCK_RECTIFIES = 2;
export const BLOCK_ENDS = 4;
/** Eights of inputs that a stage holds at most. */
export const MOST_EIGHTS = 6;
/** Layers of a net at most. */
export const MOST_STAGES = 4;

/** Each unit of a strip takes all inputs that its stage holds, which are the last word of its task. */
const multiplyAdds = ({ buffers: { tasks } }: { readonly buffers: { readonly tasks: Tensor } }): number => {
  let sum = 0;
  if (tasks.kind === 'constant')
    for (let at = 0; at < tasks.data.length; at += BLOCK_WORDS)
      if (tasks.data[at] !== BLOCK_FEATURE) sum += tasks.data[at + 3]! * tasks.data[at + 7]!;
  return sum;
};

/** A workgroup, a quad, for a tile of rows. */
export const blockKernel = <const S extends KernelSource & { readonly buffers: { readonly tasks: unknown } }>(source: S): Kernel<S> =>
  tileKernel(source, multiplyAdds);
