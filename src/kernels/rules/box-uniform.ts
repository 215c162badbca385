import { defineRule } from '../../runtime/derivative.js';
import { boxUniform } from '../box-uniform.js';
import { addProduct } from './accumulate.js';

/** The density is constant inside the box. */
export const boxDensityRule = /*#__PURE__*/ defineRule(boxUniform.logDensity, (r, { params: { sign } }, gradients) => {
  const dLogProb = gradients.of('log_prob');
  const dLogDet = dLogProb && gradients.into('log_det');
  if (dLogDet) addProduct(r, dLogDet, dLogProb, null, sign);
});
