// Variants of kernels, on the cases of the kernel whose variants they are: those that differ in shape. What follows a sum is one function for all
// of a family (shaders/lib/masked-linear.wgsl), so that nothing of it and all of it will do, and one activation.

import type { Kernel } from '../../src/runtime/kernel.js';
import { families } from '../../src/tuning/variants.js';
import { autoregressiveSolveAffineCases } from './autoregressive-solve-affine.js';
import { autoregressiveSolveMixtureCases } from './autoregressive-solve-mixture.js';
import { autoregressiveSolveSplineCases } from './autoregressive-solve-spline.js';
import type { KernelCases } from './case.js';
import { maskedLinearCases } from './masked-linear.js';

const RELU = 1;
const FLAGS = ['GATE', 'ADDEND', 'RAW', 'SCALE'];
const all = [maskedLinearCases, autoregressiveSolveAffineCases, autoregressiveSolveMixtureCases, autoregressiveSolveSplineCases];

function casesOf(name: string, variant: Kernel): KernelCases {
  const table = all.find(({ kernel }) => kernel.source.name === name);
  if (!table) throw new Error(`no cases of ${name} for its variant ${variant.source.name}`);
  const cases = table.cases.filter(({ constants = {} }) => {
    const values = constants as Readonly<Record<string, number | boolean>>;
    return Number(values.ACTIVATION ?? 0) <= RELU && [0, FLAGS.length].includes(FLAGS.filter((flag) => values[flag]).length);
  });
  return { kernel: variant, cases };
}

export const variantCases = Object.entries(families).flatMap(([name, { few }]) => few.map((variant) => casesOf(name, variant)));
