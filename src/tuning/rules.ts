// What is known to be faster on an adapter without a measurement of one's own. Loads on the adapters in `ADAPTERS_WITH_RULES` alone, before anything compiles.

import { maskedLinearMatrix } from '../kernels/masked-linear-matrix.js';
import type { Rule } from '../runtime/choices.js';
import type { Kernel } from '../runtime/kernel.js';

/**
 * Inputs from which SwiftShader takes products of matrices. Narrower layers keep the longer runs in order: ill-conditioned flows of width 64 come out nearer
 * to PyTorch's with them (docs/kernels.md).
 */
const WIDE = 96;

export const rules: Readonly<Record<string, Rule>> = {
  swiftshader: ({ kernel, params }) =>
    kernel.source.name === 'masked-linear' && params.inputs! >= WIDE ? (maskedLinearMatrix as unknown as Kernel) : null,
};
