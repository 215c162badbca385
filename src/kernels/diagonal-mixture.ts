import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/diagonal-mixture.js';
import { perRowGroup } from './geometry.js';

export const diagonalMixture = {
  sample: defineKernel(source.sample, (rows) => perRowGroup(source.sample, rows)),
  logDensity: defineKernel(source.logDensity, (rows) => perRowGroup(source.logDensity, rows)),
};
