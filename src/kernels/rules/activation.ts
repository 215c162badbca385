import { defineRule } from '../../runtime/derivative.js';
import { NONE } from '../../runtime/tensor.js';
import type { activation } from '../activation.js';
import { activationBackward } from '../activation-backward.js';
import { recordColumnSums } from '../linear-backward.js';

export const activationRule = /*#__PURE__*/ defineRule<(typeof activation)['source']>(
  'activation.activation',
  (r, { buffers: { source, beta }, params: { features }, constants: { ACTIVATION = 0 } }, gradients) => {
    const [dValue, dSlope] = [gradients.of('value'), gradients.of('slope')];
    if (!dValue && !dSlope) return;
    const [dSource, dBeta] = [gradients.into('source'), gradients.intoTable('beta')];
    const terms = r.tiled(dBeta ? features : 1, 'd beta');
    r.run(activationBackward, {
      buffers: {
        source,
        beta,
        d_value: dValue ?? NONE,
        d_slope: dSlope ?? NONE,
        d_source: dSource?.tensor ?? r.tiled(features, 'unused'),
        d_beta: terms,
      },
      params: { features },
      constants: {
        ACTIVATION,
        HAS_VALUE: dValue !== null,
        HAS_SLOPE: dSlope !== null,
        HAS_BETA: dBeta !== null,
        ADD: dSource?.add ?? false,
      },
    });
    if (dBeta) recordColumnSums(r, terms, dBeta, { features: 1, blocks: features });
  },
);
