import { defineRule } from '../../runtime/derivative.js';
import { NONE } from '../../runtime/tensor.js';
import type { mixture } from '../mixture.js';
import { mixtureTransformerBackward } from '../mixture-backward.js';
import { accumulateOrDrop } from './accumulate.js';

/** The kernel leaves its parameters normalised, and nothing else has read them before. */
export const mixtureRule = {
  .../*#__PURE__*/ defineRule<(typeof mixture)['source']>(
    'mixture.mixture',
    (r, { buffers: { x, state, slot, y }, params, constants }, gradients) => {
      const [dY, dLogTerms] = [gradients.of('y'), gradients.of('log_terms')];
      const [dX, dState] = [gradients.into('x'), gradients.into('state')];
      const { COMPONENTS = 1, EPS = 0.01, INVERSE = false } = constants;
      accumulateOrDrop(r, dX, params.features, (d_source) =>
        accumulateOrDrop(r, dState, 3 * COMPONENTS * params.slots, (d_state) =>
          r.run(mixtureTransformerBackward, {
            buffers: {
              x: INVERSE ? y : x,
              state,
              slot,
              d_value: dY ?? NONE,
              d_log_terms: dLogTerms ?? NONE,
              d_source,
              d_state,
            },
            params,
            constants: { COMPONENTS, EPS, INVERSE, HAS_Y: dY !== null, HAS_LOG_DET: dLogTerms !== null },
          }),
        ),
      );
    },
  ),
  inPlace: true,
} as const;
