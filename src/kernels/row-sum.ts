import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/row-sum.js';
import { featureKernel, rowKernel } from './geometry.js';

export const rowSum = /*#__PURE__*/ rowKernel(source.rowSum);

/** Terms of one partial sum. */
export const PARTIAL_SUM = 64;

export const partialSums = /*#__PURE__*/ featureKernel(source.partialSums, ({ features }) => ceilDiv(features, PARTIAL_SUM));
