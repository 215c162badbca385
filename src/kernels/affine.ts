import * as source from './generated/affine.js';
import { featureKernel } from './geometry.js';

/** Slot of a feature that passes unchanged. */
export const PASSES = 0xffffffff;

/** How an unconstrained number becomes a scale; numbers and formulas as in shaders/lib/affine.wgsl. */
export const SCALE_NUMBER = {
  none: 0,
  exp: 1,
  softplus: 2,
  sigmoid: 3,
  'softplus-clamped': 4,
  softclip: 5,
  tanh: 6,
  clamp: 7,
  'reciprocal-sigmoid': 8,
} as const;

export const affine = /*#__PURE__*/ featureKernel(source.affine);
