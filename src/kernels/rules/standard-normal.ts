import { defineRule } from '../../runtime/derivative.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { standardNormal } from '../standard-normal.js';
import { addProduct } from './accumulate.js';

export const logDensityRule = /*#__PURE__*/ defineRule<(typeof standardNormal.logDensity)['source']>(
  'standard-normal.log_density',
  (r, { buffers, params: { sign } }, gradients) => {
    const dLogProb = gradients.of('log_prob');
    if (!dLogProb) return;
    const [dSource, dLogDet] = [gradients.into('source'), gradients.into('log_det')];
    if (dLogDet) addProduct(r, dLogDet, dLogProb, null, sign);
    if (dSource) addProduct(r, dSource, buffers.source as TiledTensor, dLogProb, -1);
  },
);
