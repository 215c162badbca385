import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import * as source from './generated/diagonal-backward.js';

/** From a raw number to the logarithm of a scale; formulas in shaders/diagonal-backward.wgsl. */
export const MAP_NUMBER = { identity: 0, softplus: 1, softclip: 2 } as const;

/** Workgroups for one invocation a feature. */
const perFeature = (_: number, { features }: { readonly features: number }) => [ceilDiv(features, 64), 1, 1] as const;

export const diagonal = {
  constants: /*#__PURE__*/ defineKernel(source.diagonalConstants, perFeature),
  constantsBackward: /*#__PURE__*/ defineKernel(source.diagonalConstantsBackward, perFeature),
  /** `features` is the number of entries. */
  entries: /*#__PURE__*/ defineKernel(source.diagonalEntries, perFeature),
  entriesBackward: /*#__PURE__*/ defineKernel(source.diagonalEntriesBackward, perFeature),
  gradient: /*#__PURE__*/ defineKernel(source.diagonalGradient, perFeature),
};
