import { defineRule } from '../runtime/derivative.js';
import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import type { TiledTensor } from '../runtime/tensor.js';
import { addProduct } from './accumulate.js';
import * as source from './generated/standard-normal.js';
import { perRowGroup, perRowGroupAndFeature } from './geometry.js';

export const standardNormal = {
  sample: /*#__PURE__*/ defineKernel(source.sample, (rows, { dim }) => perRowGroupAndFeature(source.sample, rows, ceilDiv(dim, 4))),
  logDensity: /*#__PURE__*/ defineKernel(source.logDensity, (rows) => perRowGroup(source.logDensity, rows)),
};

export const logDensityRule = /*#__PURE__*/ defineRule(standardNormal.logDensity, (r, { buffers, params: { sign } }, gradients) => {
  const dLogProb = gradients.of('log_prob');
  if (!dLogProb) return;
  const [dSource, dLogDet] = [gradients.into('source'), gradients.into('log_det')];
  if (dLogDet) addProduct(r, dLogDet, dLogProb, null, sign);
  if (dSource) addProduct(r, dSource, buffers.source as TiledTensor, dLogProb, -1);
});
