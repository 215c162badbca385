import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/diagonal-affine.js';
import { perRowGroupAndFeature } from './geometry.js';

export const diagonalAffine = defineKernel(source.diagonalAffine, (rows, { features }) =>
  perRowGroupAndFeature(source.diagonalAffine, rows, features),
);
