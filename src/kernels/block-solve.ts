// What the solves by blocks share: the words of a task, as in shaders/lib/block-tasks.wgsl; src/tuning/block-tasks.ts writes them.

import { ceilDiv, defineKernel, type Kernel, type KernelSource } from '../runtime/kernel.js';
import { TILE } from '../runtime/tensor.js';
import { solveMultiplyAdds } from './autoregressive-solve.js';

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

/** A workgroup, a quad, for half a tile of rows. */
export const blockKernel = <const S extends KernelSource & { readonly buffers: { readonly weight: unknown } }>(source: S): Kernel<S> =>
  defineKernel(source, (rows) => [ceilDiv(rows, TILE / 2), 1, 1], solveMultiplyAdds);
