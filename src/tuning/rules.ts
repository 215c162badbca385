// What is known to be faster on an adapter without a measurement of one's own. Loads on the adapters in `ADAPTERS_WITH_RULES` alone, before anything compiles.

import { autoregressiveSolveAffineQuad } from '../kernels/autoregressive-solve-affine-quad.js';
import { autoregressiveSolveMixtureQuad } from '../kernels/autoregressive-solve-mixture-quad.js';
import { autoregressiveSolveSplineQuad } from '../kernels/autoregressive-solve-spline-quad.js';
import { weightGradientQuad } from '../kernels/linear-backward-quad.js';
import { linearInputBroadcast } from '../kernels/linear-input-backward-broadcast.js';
import { linearInputQuad } from '../kernels/linear-input-backward-quad.js';
import { maskedLinearBroadcast } from '../kernels/masked-linear-broadcast.js';
import { maskedLinearHalfQuad } from '../kernels/masked-linear-half-quad.js';
import { maskedLinearQuad } from '../kernels/masked-linear-quad.js';
import type { AdapterRules, Choices } from '../runtime/choices.js';
import type { Kernel } from '../runtime/kernel.js';
import type { Command, Program } from '../runtime/program.js';
import type { ConstantTensor } from '../runtime/tensor.js';
import { familyName } from './family-name.js';
import { blockKernels } from './fuse-block-solves.js';
import { fuse } from './fusion.js';
import { layerFused, quadFusionsIn, thinFused } from './quad-fusions.js';

export { arranged } from './arrange.js';

type Size = Readonly<Record<'inputs' | 'outputs', number>>;

/** A product holds up to 64 inputs in eights, or of four outputs takes 8 at a time. What it saves of a smaller layer takes long to make up for its compilation. */
const pays = ({ inputs, outputs }: Size): boolean => (outputs > 4 ? inputs > 4 && inputs * outputs >= 512 : inputs >= 16);

/**
 * Weights from which a solve by blocks makes up for its compilation: it saves two fifths, of a MAF with D 21 and hidden 64 × 2 3 ms a layer for 1024 rows, and takes half a
 * second longer to compile.
 */
const BLOCK_WEIGHTS = 8192;

const solvesByBlocks = ({ kernel, tensors }: Command): boolean =>
  blockKernels.includes(kernel) && (tensors.weight as ConstantTensor).data.length >= BLOCK_WEIGHTS;

const always = (): boolean => true;

/** On SwiftShader loads take most of the time, of which a quad saves three quarters. What runs by a quad, and which layers. */
const quads: Readonly<Record<string, readonly [kernel: unknown, layers: (size: Size) => boolean]>> = {
  'masked-linear': [maskedLinearQuad, pays],
  'masked-linear-half': [maskedLinearHalfQuad, pays],
  'linear-input': [linearInputQuad, pays],
  'autoregressive-solve-affine': [autoregressiveSolveAffineQuad, always],
  'autoregressive-solve-mixture': [autoregressiveSolveMixtureQuad, always],
  'autoregressive-solve-spline': [autoregressiveSolveSplineQuad, always],
  'weight-gradient': [weightGradientQuad, ({ inputs, outputs }) => inputs * outputs >= 128],
};

/** Weights from which llvmpipe broadcasts them: a layer takes a third to two thirds of its time, and one to three seconds to compile, which Mesa keeps. */
const BROADCAST_WEIGHTS = 4096;

const broadcasts: Readonly<Record<string, Kernel | undefined>> = {
  'masked-linear': maskedLinearBroadcast as unknown as Kernel,
  'linear-input': linearInputBroadcast as unknown as Kernel,
};

/** By what Dawn calls an adapter's architecture. */
export const rules: Readonly<Record<string, AdapterRules>> = {
  swiftshader: {
    variant: ({ kernel, params: { inputs = 0, outputs = 0, kernel: taps = 1 } }) => {
      const [quad, layers] = quads[familyName(kernel)] ?? [];
      return taps === 1 && layers?.({ inputs, outputs }) ? (quad as Kernel) : null;
    },
    fuses: (command) => {
      const {
        kernel,
        params: { inputs = 0, outputs = 0 },
      } = command;
      return thinFused.includes(kernel) || solvesByBlocks(command) || (layerFused.includes(kernel) && pays({ inputs, outputs }));
    },
  },
  // llvmpipe, Mesa's
  software: {
    variant: ({ kernel, params: { inputs = 0, outputs = 0 } }) =>
      (inputs * outputs >= BROADCAST_WEIGHTS && broadcasts[familyName(kernel)]) || null,
    fuses: () => false,
  },
};

/** What `choices.fuse` is where a rule fuses: what needs no more code than its kernels. */
export const fuseFor =
  (choices: Choices) =>
  (recorded: Program): Program =>
    fuse(recorded, quadFusionsIn(recorded), ({ command }) => choices.fuses(command));
