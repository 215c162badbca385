import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import * as source from './generated/uniform.js';
import { perRowGroup, perRowGroupAndFeature } from './geometry.js';

export const uniform = {
  sample: defineKernel(source.sample, (rows, { dim }) => perRowGroupAndFeature(source.sample, rows, ceilDiv(dim, 4))),
  logDensity: defineKernel(source.logDensity, (rows) => perRowGroup(source.logDensity, rows)),
};
