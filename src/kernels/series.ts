import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/series.js';
import { perRowGroup, perRowGroupAndFeature } from './geometry.js';

export const series = {
  readStep: defineKernel(source.readStep, (rows, { features }) => perRowGroupAndFeature(source.readStep, rows, features)),
  writeStep: defineKernel(source.writeStep, (rows, { features }) => perRowGroupAndFeature(source.writeStep, rows, features)),
  meanScale: defineKernel(source.meanScale, (rows, { features }) => perRowGroupAndFeature(source.meanScale, rows, features)),
  total: defineKernel(source.total, (rows) => perRowGroup(source.total, rows)),
};
