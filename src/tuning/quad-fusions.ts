// What fuses by weights shared within quads: linear layers, alone or with what stands in front of them or behind, and sequential solves. The rule for SwiftShader asks for these, a measurement for all
// (fuse.ts).

import type { Kernel } from '../runtime/kernel.js';
import type { Program } from '../runtime/program.js';
import { blockKernels, blockSolvesIn } from './fuse-block-solves.js';
import { inputAffineKernel, inputAffinesIn } from './fuse-input-affine.js';
import { linearAffineKernel, linearAffinesIn } from './fuse-linear-affine.js';
import { thinAffineKernel, thinAffinesIn } from './fuse-thin-affine.js';
import { thinNetKernels, thinNetsIn } from './fuse-thin-nets.js';
import type { Fusion } from './fusion.js';
import { quadLayersIn, quadLinearKernel } from './quad-layers.js';

/** Nets with thin ends, a dispatch each. */
export const thinFused: readonly Kernel[] = [...thinNetKernels, thinAffineKernel];

/** Layers alone or with an affine transformer. */
export const layerFused: readonly Kernel[] = [linearAffineKernel, inputAffineKernel, quadLinearKernel];

export const quadFused: readonly Kernel[] = [...thinFused, ...layerFused, ...blockKernels];

/** Of two that share a part, the one that takes more along is first. */
export const quadFusionsIn = (program: Program): readonly Fusion[] =>
  [thinAffinesIn, thinNetsIn, linearAffinesIn, inputAffinesIn, blockSolvesIn, quadLayersIn].flatMap((find) => find(program));
