import { defineRule } from '../../runtime/derivative.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { ACTIVATION_NUMBER } from '../activation.js';
import { recordActivation } from '../activation-backward.js';
import type { bernoulli } from '../bernoulli.js';
import { addProduct } from './accumulate.js';

export const bernoulliRule = /*#__PURE__*/ defineRule<(typeof bernoulli.logMass)['source']>(
  'bernoulli.log_mass',
  (r, { buffers, params: { sign } }, gradients) => {
    const dLogProb = gradients.of('log_prob');
    if (!dLogProb) return;
    const [source, logits] = [buffers.source as TiledTensor, buffers.logits as TiledTensor];
    const [dLogDet, dSource, dLogits] = [gradients.into('log_det'), gradients.into('source'), gradients.into('logits')];
    if (dLogDet) addProduct(r, dLogDet, dLogProb, null, sign);
    if (dSource) addProduct(r, dSource, logits, dLogProb);
    if (!dLogits) return;
    const mean = r.tiled(logits.features, 'mean');
    recordActivation(r, ACTIVATION_NUMBER.sigmoid, logits, mean);
    addProduct(r, dLogits, source, dLogProb);
    addProduct(r, { ...dLogits, add: true }, mean, dLogProb, -1);
  },
);
