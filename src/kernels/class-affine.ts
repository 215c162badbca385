import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/class-affine.js';
import { perRowGroup, perRowGroupAndFeature } from './geometry.js';

export const classAffine = {
  affine: defineKernel(source.classAffine, (rows, { features }) => perRowGroupAndFeature(source.classAffine, rows, features)),
  term: defineKernel(source.classTerm, (rows) => perRowGroup(source.classTerm, rows)),
};
