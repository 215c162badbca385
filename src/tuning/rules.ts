// What is known to be faster on an adapter without a measurement of one's own. Loads on the adapters in `ADAPTERS_WITH_RULES` alone, before anything compiles.

import { maskedLinearHalfMatrix } from '../kernels/masked-linear-half-matrix.js';
import { maskedLinearMatrix } from '../kernels/masked-linear-matrix.js';
import type { Rule } from '../runtime/choices.js';
import type { Kernel } from '../runtime/kernel.js';

/**
 * From which inputs, or weights, on SwiftShader takes products of matrices. Smaller layers keep the longer runs in order: ill-conditioned flows of width 64
 * come out nearer to PyTorch's with them (docs/kernels.md).
 */
const WIDE = { inputs: 96, weights: 12288 };

const matrices: Readonly<Record<string, Kernel>> = {
  'masked-linear': maskedLinearMatrix as unknown as Kernel,
  'masked-linear-half': maskedLinearHalfMatrix as unknown as Kernel,
};

const isWide = ({ inputs = 0, outputs = 0 }: Readonly<Record<string, number>>): boolean =>
  inputs >= WIDE.inputs || inputs * outputs >= WIDE.weights;

export const rules: Readonly<Record<string, Rule>> = {
  swiftshader: ({ kernel, params }) => (isWide(params) && matrices[kernel.source.name]) || null,
};
