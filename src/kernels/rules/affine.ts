import { defineRule } from '../../runtime/derivative.js';
import { NONE } from '../../runtime/tensor.js';
import type { affine } from '../affine.js';
import { affineBackward } from '../affine-backward.js';
import { accumulate } from './accumulate.js';

export const affineRule = /*#__PURE__*/ defineRule<(typeof affine)['source']>(
  'affine.affine',
  (r, { buffers: { x, parameters, slot }, params, constants }, gradients) => {
    const [dY, dLogTerms] = [gradients.of('y'), gradients.of('log_terms')];
    const [dX, dParameters] = [gradients.into('x'), gradients.into('parameters')];
    const { HAS_LOG_DET: _, ...scale } = constants;
    const onto = (target: typeof dX, features: number, record: (into: ReturnType<typeof r.tiled>) => void) =>
      target ? accumulate(r, target, record) : record(r.tiled(features, 'unused'));
    onto(dX, params.features, (d_x) =>
      onto(dParameters, params.parameter_features, (d_parameters) =>
        r.run(affineBackward, {
          buffers: { x, parameters, slot, d_y: dY ?? NONE, d_log_terms: dLogTerms ?? NONE, d_x, d_parameters },
          params,
          constants: { ...scale, HAS_Y: dY !== null, HAS_LOG_DET: dLogTerms !== null },
        }),
      ),
    );
  },
);
