import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import * as source from './generated/row-sum.js';
import { perRowGroup, perRowGroupAndFeature } from './geometry.js';

/** Terms of one partial sum. */
export const PARTIAL_SUM = 64;

export const rowSum = defineKernel(source.rowSum, (rows) => perRowGroup(source.rowSum, rows));
export const partialSums = defineKernel(source.partialSums, (rows, { features }) =>
  perRowGroupAndFeature(source.partialSums, rows, ceilDiv(features, PARTIAL_SUM)),
);
