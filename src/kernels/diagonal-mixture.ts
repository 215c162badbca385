import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/diagonal-mixture.js';
import { perRowGroup } from './geometry.js';

export const diagonalMixture = {
  sample: /*#__PURE__*/ defineKernel(source.sample, (rows) => perRowGroup(source.sample, rows)),
  logDensity: /*#__PURE__*/ defineKernel(source.logDensity, (rows) => perRowGroup(source.logDensity, rows)),
};
