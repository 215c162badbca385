import { defineRule } from '../runtime/derivative.js';
import { ceilDiv } from '../runtime/kernel.js';
import { accumulate } from './accumulate.js';
import * as source from './generated/row-sum.js';
import { featureKernel, rowKernel } from './geometry.js';
import { permute } from './permute.js';

export const rowSum = /*#__PURE__*/ rowKernel(source.rowSum);

export const rowSumRule = /*#__PURE__*/ defineRule(rowSum, (r, { params: { features } }, gradients) => {
  const [dTotal, dTerms] = [gradients.of('total'), gradients.into('terms')];
  if (!dTotal || !dTerms) return;
  const index = r.constant(new Uint32Array(features), 'every term');
  accumulate(r, dTerms, (y) => r.run(permute, { buffers: { x: dTotal, index, y }, params: { features, source_features: 1 } }));
});

/** Terms of one partial sum. */
export const PARTIAL_SUM = 64;

export const partialSums = /*#__PURE__*/ featureKernel(source.partialSums, ({ features }) => ceilDiv(features, PARTIAL_SUM));
