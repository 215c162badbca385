import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/move-features.js';
import { perRowGroupAndFeature } from './geometry.js';

export const moveFeatures = /*#__PURE__*/ defineKernel(source.moveFeatures, (rows, { features }) =>
  perRowGroupAndFeature(source.moveFeatures, rows, features),
);
