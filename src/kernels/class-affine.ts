import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/class-affine.js';
import { perRowGroup, perRowGroupAndFeature } from './geometry.js';

export const classAffine = {
  affine: /*#__PURE__*/ defineKernel(source.classAffine, (rows, { features }) => perRowGroupAndFeature(source.classAffine, rows, features)),
  term: /*#__PURE__*/ defineKernel(source.classTerm, (rows) => perRowGroup(source.classTerm, rows)),
};
