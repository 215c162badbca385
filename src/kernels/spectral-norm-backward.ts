import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/spectral-norm-backward.js';

/** One workgroup each. */
export const spectralNorm = /*#__PURE__*/ defineKernel(source.spectralNorm, () => [1, 1, 1]);
export const spectralNormBackward = /*#__PURE__*/ defineKernel(source.spectralNormBackward, () => [1, 1, 1]);
