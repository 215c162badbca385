import { defineRule } from '../../runtime/derivative.js';
import type { boxUniform } from '../box-uniform.js';
import { addProduct } from './accumulate.js';

/** The density is constant inside the box. */
export const boxDensityRule = /*#__PURE__*/ defineRule<(typeof boxUniform.logDensity)['source']>(
  'box-uniform.log_density',
  (r, { params: { sign } }, gradients) => {
    const dLogProb = gradients.of('log_prob');
    const dLogDet = dLogProb && gradients.into('log_det');
    if (dLogDet) addProduct(r, dLogDet, dLogProb, null, sign);
  },
);
