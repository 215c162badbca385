import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import * as source from './generated/box-uniform.js';
import { perRowGroup, perRowGroupAndFeature } from './geometry.js';

export const boxUniform = {
  sample: /*#__PURE__*/ defineKernel(source.sample, (rows, { dim }) => perRowGroupAndFeature(source.sample, rows, ceilDiv(dim, 4))),
  logDensity: /*#__PURE__*/ defineKernel(source.logDensity, (rows) => perRowGroup(source.logDensity, rows)),
};
