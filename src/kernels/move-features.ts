import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/move-features.js';
import { perRowGroupAndFeature } from './geometry.js';

export const moveFeatures = defineKernel(source.moveFeatures, (rows, { features }) =>
  perRowGroupAndFeature(source.moveFeatures, rows, features),
);
