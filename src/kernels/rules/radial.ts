import { defineRule } from '../../runtime/derivative.js';
import type { radial } from '../radial.js';
import { radialBackward } from '../radial-backward.js';
import { recordRowLayer } from './row-layer.js';

export const radialRule = /*#__PURE__*/ defineRule<(typeof radial)['source']>(
  'radial.radial',
  (r, { buffers: { x, parameters, y }, params: { features }, constants }, gradients) => {
    const { ALPHA_SOFTPLUS = false, UNDO = false } = constants;
    recordRowLayer(r, gradients, gradients.of('y'), { input: 'x', features, parameters }, (seeds, d_x, d_parameters, flags) =>
      r.run(radialBackward, {
        buffers: { z: UNDO ? y : x, parameters, d_y: seeds.output, d_log_det: seeds.d_log_det, d_x, d_parameters },
        params: { features },
        constants: { ALPHA_SOFTPLUS, UNDO, ...flags },
      }),
    );
  },
);
