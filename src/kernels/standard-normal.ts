import { defineRule } from '../runtime/derivative.js';
import { ceilDiv } from '../runtime/kernel.js';
import type { TiledTensor } from '../runtime/tensor.js';
import { addProduct } from './accumulate.js';
import * as source from './generated/standard-normal.js';
import { featureKernel, rowKernel } from './geometry.js';

export const standardNormal = {
  sample: /*#__PURE__*/ featureKernel(source.sample, ({ dim }) => ceilDiv(dim, 4)),
  logDensity: /*#__PURE__*/ rowKernel(source.logDensity),
};

export const logDensityRule = /*#__PURE__*/ defineRule(standardNormal.logDensity, (r, { buffers, params: { sign } }, gradients) => {
  const dLogProb = gradients.of('log_prob');
  if (!dLogProb) return;
  const [dSource, dLogDet] = [gradients.into('source'), gradients.into('log_det')];
  if (dLogDet) addProduct(r, dLogDet, dLogProb, null, sign);
  if (dSource) addProduct(r, dSource, buffers.source as TiledTensor, dLogProb, -1);
});
