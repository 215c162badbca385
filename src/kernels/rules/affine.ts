import { defineRule } from '../../runtime/derivative.js';
import { NONE } from '../../runtime/tensor.js';
import type { affine } from '../affine.js';
import { affineBackward } from '../affine-backward.js';
import { accumulateOrDrop } from './accumulate.js';

export const affineRule = /*#__PURE__*/ defineRule<(typeof affine)['source']>(
  'affine.affine',
  (r, { buffers: { x, parameters, slot }, params, constants }, gradients) => {
    const [dY, dLogTerms] = [gradients.of('y'), gradients.of('log_terms')];
    const [dX, dParameters] = [gradients.into('x'), gradients.into('parameters')];
    const { HAS_LOG_DET: _, ...scale } = constants;
    accumulateOrDrop(r, dX, params.features, (d_x) =>
      accumulateOrDrop(r, dParameters, params.parameter_features, (d_parameters) =>
        r.run(affineBackward, {
          buffers: { x, parameters, slot, d_y: dY ?? NONE, d_log_terms: dLogTerms ?? NONE, d_x, d_parameters },
          params: { ...params, log_gradient: 0 },
          constants: { ...scale, HAS_Y: dY !== null, HAS_LOG_DET: dLogTerms !== null },
        }),
      ),
    );
  },
);
