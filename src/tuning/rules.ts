// What is known to be faster on an adapter without a measurement of one's own. Loads on the adapters in `ADAPTERS_WITH_RULES` alone, before anything compiles.

import { maskedLinearHalfQuad } from '../kernels/masked-linear-half-quad.js';
import { maskedLinearQuad } from '../kernels/masked-linear-quad.js';
import type { Rule } from '../runtime/choices.js';
import type { Kernel } from '../runtime/kernel.js';

/** From which inputs, outputs and weights on SwiftShader's time falls with weights shared by a quad, which takes 24, 48 or 64 inputs at a time. */
const WIDE = { inputs: 28, outputs: 16, weights: 1024 };

const quads: Readonly<Record<string, Kernel>> = {
  'masked-linear': maskedLinearQuad as unknown as Kernel,
  'masked-linear-half': maskedLinearHalfQuad as unknown as Kernel,
};

const isWide = ({ inputs = 0, outputs = 0 }: Readonly<Record<string, number>>): boolean => inputs >= WIDE.inputs && outputs >= WIDE.outputs;

export const rules: Readonly<Record<string, Rule>> = {
  swiftshader: ({ kernel, params }) => (isWide(params) && quads[kernel.source.name]) || null,
};
