import { defineRule } from '../runtime/derivative.js';
import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import { accumulate } from './accumulate.js';
import * as source from './generated/row-sum.js';
import { perRowGroup, perRowGroupAndFeature } from './geometry.js';
import { permute } from './permute.js';

export const rowSum = /*#__PURE__*/ defineKernel(source.rowSum, (rows) => perRowGroup(source.rowSum, rows));

export const rowSumRule = /*#__PURE__*/ defineRule(rowSum, (r, { params: { features } }, gradients) => {
  const [dTotal, dTerms] = [gradients.of('total'), gradients.into('terms')];
  if (!dTotal || !dTerms) return;
  const index = r.constant(new Uint32Array(features), 'every term');
  accumulate(r, dTerms, (y) => r.run(permute, { buffers: { x: dTotal, index, y }, params: { features, source_features: 1 } }));
});

/** Terms of one partial sum. */
export const PARTIAL_SUM = 64;

export const partialSums = /*#__PURE__*/ defineKernel(source.partialSums, (rows, { features }) =>
  perRowGroupAndFeature(source.partialSums, rows, ceilDiv(features, PARTIAL_SUM)),
);
