import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/mixture.js';
import { perRowGroupAndFeature } from './geometry.js';

export const mixture = /*#__PURE__*/ defineKernel(source.mixture, (rows, { features }) =>
  perRowGroupAndFeature(source.mixture, rows, features),
);
