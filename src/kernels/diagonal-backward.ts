import * as source from './generated/diagonal-backward.js';
import { listKernel } from './geometry.js';

/** From a raw number to the logarithm of a scale; formulas in shaders/diagonal-backward.wgsl. */
export const MAP_NUMBER = { identity: 0, softplus: 1, softclip: 2 } as const;

const perFeature = ({ features }: { readonly features: number }) => features;

export const diagonal = {
  constants: /*#__PURE__*/ listKernel(source.diagonalConstants, perFeature),
  constantsBackward: /*#__PURE__*/ listKernel(source.diagonalConstantsBackward, perFeature),
  /** `features` is the number of entries. */
  entries: /*#__PURE__*/ listKernel(source.diagonalEntries, perFeature),
  entriesBackward: /*#__PURE__*/ listKernel(source.diagonalEntriesBackward, perFeature),
  product: /*#__PURE__*/ listKernel(source.diagonalProduct, perFeature),
  productBackward: /*#__PURE__*/ listKernel(source.diagonalProductBackward, perFeature),
  gradient: /*#__PURE__*/ listKernel(source.diagonalGradient, perFeature),
};
