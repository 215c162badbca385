import { defineRule, type OriginRule } from '../../runtime/derivative.js';
import { spectralNorm, spectralNormBackward } from '../spectral-norm-backward.js';
import { lengthOf } from './tables.js';

/** Packed weights of a layer whose norm is bounded. */
export const spectralNormOrigin: OriginRule = {
  kind: 'spectral norm',
  record: (r, { raw, place, u: start_u, v: start_v }, { coeff, iterations }) => {
    const [outputs, inputs, length] = [lengthOf(start_u!), lengthOf(start_v!), lengthOf(place!)];
    const tables = { weight: r.table(length, 'weight'), u: r.table(outputs, 'u'), v: r.table(2 * inputs, 'v'), sigma: r.table(1, 'sigma') };
    r.run(spectralNorm, {
      buffers: { raw: raw!, place: place!, start_u: start_u!, start_v: start_v!, ...tables },
      params: { outputs, inputs, length, iterations: Number(iterations), coeff: Number(coeff) },
    });
    return tables;
  },
};

export const spectralNormRule = /*#__PURE__*/ defineRule(spectralNorm, (r, { buffers, params }, gradients) => {
  const { raw, place, u: left, v: right, sigma: norm } = buffers;
  const [d_weight, d_raw] = [gradients.ofTable('weight'), gradients.intoTable('raw')];
  if (d_weight && d_raw) r.run(spectralNormBackward, { buffers: { raw, place, left, right, norm, d_weight, d_raw }, params });
});
