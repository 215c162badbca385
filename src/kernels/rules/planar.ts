import { defineRule } from '../../runtime/derivative.js';
import type { planar } from '../planar.js';
import { planarBackward } from '../planar-backward.js';
import { recordRowLayer } from './row-layer.js';

export const planarRule = /*#__PURE__*/ defineRule<(typeof planar)['source']>(
  'planar.planar',
  (r, { buffers: { x, parameters, y }, params: { features, negative_slope }, constants }, gradients) => {
    const { LEAKY = false, UNDO = false } = constants;
    recordRowLayer(r, gradients, gradients.of('y'), { input: 'x', features, parameters }, (seeds, d_x, d_parameters, flags) =>
      r.run(planarBackward, {
        buffers: { z: UNDO ? y : x, parameters, d_y: seeds.output, d_log_det: seeds.d_log_det, d_x, d_parameters },
        params: { features, negative_slope },
        constants: { LEAKY, UNDO, ...flags },
      }),
    );
  },
);
