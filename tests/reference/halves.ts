// Twins of the kernels with weights in float16: those of the float32 kernels, with the numbers that the words hold.

import * as solveAffineSource from '../../src/kernels/generated/autoregressive-solve-affine-half.js';
import * as solveMixtureSource from '../../src/kernels/generated/autoregressive-solve-mixture-half.js';
import * as solveSplineSource from '../../src/kernels/generated/autoregressive-solve-spline-half.js';
import * as linearSource from '../../src/kernels/generated/masked-linear-half.js';
import type { KernelSource } from '../../src/runtime/kernel.js';
import { autoregressiveSolveAffine } from './autoregressive-solve-affine.js';
import { autoregressiveSolveMixture } from './autoregressive-solve-mixture.js';
import { autoregressiveSolveSpline } from './autoregressive-solve-spline.js';
import { maskedLinear } from './masked-linear.js';
import type { Twin } from './twin.js';

/** The formula of the standard, by itself: what src/format/half.ts writes is read by it. */
export function halfToNumber(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const halfTwin = (source: KernelSource, { run }: Twin): Twin => ({
  source,
  run: (call) => {
    const words = (call.buffers as { weight?: Uint32Array }).weight!;
    const weight = Float64Array.from({ length: 2 * words.length }, (_, i) => halfToNumber((words[i >> 1]! >>> (16 * (i % 2))) & 0xffff));
    run({ ...call, buffers: { ...call.buffers, weight } as never });
  },
});

export const maskedLinearHalf = halfTwin(linearSource.maskedLinearHalf, maskedLinear);
export const autoregressiveSolveAffineHalf = halfTwin(solveAffineSource.autoregressiveSolveAffineHalf, autoregressiveSolveAffine);
export const autoregressiveSolveMixtureHalf = halfTwin(solveMixtureSource.autoregressiveSolveMixtureHalf, autoregressiveSolveMixture);
export const autoregressiveSolveSplineHalf = halfTwin(solveSplineSource.autoregressiveSolveSplineHalf, autoregressiveSolveSpline);
