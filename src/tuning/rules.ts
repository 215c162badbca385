// What is known to be faster on an adapter without a measurement of one's own. Loads on the adapters in `ADAPTERS_WITH_RULES` alone, before anything compiles.

import { maskedLinearMatrix } from '../kernels/masked-linear-matrix.js';
import type { Rule } from '../runtime/choices.js';
import type { Kernel } from '../runtime/kernel.js';

/**
 * From which inputs, or weights, on SwiftShader takes products of matrices. Smaller layers keep the longer runs in order: ill-conditioned flows of width 64
 * come out nearer to PyTorch's with them (docs/kernels.md).
 */
const WIDE = { inputs: 96, weights: 12288 };

const isWide = ({ inputs = 0, outputs = 0 }: Readonly<Record<string, number>>): boolean =>
  inputs >= WIDE.inputs || inputs * outputs >= WIDE.weights;

export const rules: Readonly<Record<string, Rule>> = {
  swiftshader: ({ kernel, params }) =>
    kernel.source.name === 'masked-linear' && isWide(params) ? (maskedLinearMatrix as unknown as Kernel) : null,
};
