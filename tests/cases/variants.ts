// Variants of kernels, on the cases of the kernel whose variants they are: those that differ in shape or in what follows a sum. Activations are one
// function for all of a family.

import type { Kernel } from '../../src/runtime/kernel.js';
import { families } from '../../src/tuning/variants.js';
import { autoregressiveSolveAffineCases } from './autoregressive-solve-affine.js';
import { autoregressiveSolveMixtureCases } from './autoregressive-solve-mixture.js';
import { autoregressiveSolveSplineCases } from './autoregressive-solve-spline.js';
import type { KernelCases } from './case.js';
import { maskedLinearCases } from './masked-linear.js';

const RELU = 1;
const all = [maskedLinearCases, autoregressiveSolveAffineCases, autoregressiveSolveMixtureCases, autoregressiveSolveSplineCases];

function casesOf(name: string, variant: Kernel): KernelCases {
  const table = all.find(({ kernel }) => kernel.source.name === name);
  if (!table) throw new Error(`no cases of ${name} for its variant ${variant.source.name}`);
  return { kernel: variant, cases: table.cases.filter(({ constants }) => !(Number(constants?.ACTIVATION ?? 0) > RELU)) };
}

export const variantCases = Object.entries(families).flatMap(([name, { few }]) => few.map((variant) => casesOf(name, variant)));
