import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/series.js';
import { perRowGroup, perRowGroupAndFeature } from './geometry.js';

export const series = {
  readStep: /*#__PURE__*/ defineKernel(source.readStep, (rows, { features }) => perRowGroupAndFeature(source.readStep, rows, features)),
  writeStep: /*#__PURE__*/ defineKernel(source.writeStep, (rows, { features }) => perRowGroupAndFeature(source.writeStep, rows, features)),
  meanScale: /*#__PURE__*/ defineKernel(source.meanScale, (rows, { features }) => perRowGroupAndFeature(source.meanScale, rows, features)),
  total: /*#__PURE__*/ defineKernel(source.total, (rows) => perRowGroup(source.total, rows)),
};
