import * as source from './generated/class-affine.js';
import { featureKernel, rowKernel } from './geometry.js';

export const classAffine = {
  affine: /*#__PURE__*/ featureKernel(source.classAffine),
  term: /*#__PURE__*/ rowKernel(source.classTerm),
};
