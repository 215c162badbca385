import { defineRule } from '../../runtime/derivative.js';
import { NONE } from '../../runtime/tensor.js';
import { recordColumnSums } from '../linear-backward.js';
import { SPLINE_NUMBER, type spline } from '../spline.js';
import { splineBackward } from '../spline-backward.js';
import { accumulateOrDrop, addProduct } from './accumulate.js';
import { lengthOf } from './tables.js';

export const splineRule = /*#__PURE__*/ defineRule<(typeof spline)['source']>(
  'spline.spline',
  (r, { buffers, params, constants }, gradients) => {
    const { x, parameters, slot, y } = buffers;
    const [dY, dLogTerms] = [gradients.of('y'), gradients.of('log_terms')];
    const dX = gradients.into('x');
    if (constants.SPLINE === SPLINE_NUMBER.identity) {
      if (dX && dY) addProduct(r, dX, dY, null);
      return;
    }
    const { features, slots, parameter_features } = params;
    // One spline for all rows lies in a table, each number four times.
    const shared = constants.SHARED === true;
    const ownFeatures = shared ? lengthOf(parameters) / 4 : parameter_features;
    const dParameters = shared ? null : gradients.into('parameters');
    const { HAS_LOG_DET: _, ...settings } = constants;
    accumulateOrDrop(r, dX, features, (d_source) =>
      accumulateOrDrop(r, dParameters, ownFeatures, (d_parameters) => {
        r.run(splineBackward, {
          buffers: {
            x: constants.UNDO ? y : x,
            parameters,
            slot,
            d_value: dY ?? NONE,
            d_log_terms: dLogTerms ?? NONE,
            d_source,
            d_parameters,
          },
          params: { features, slots, parameter_features, gradient_features: ownFeatures },
          constants: { ...settings, HAS_Y: dY !== null, HAS_LOG_DET: dLogTerms !== null },
        });
        const table = shared ? gradients.intoTable('parameters') : null;
        if (table) recordColumnSums(r, d_parameters, table, { stride: 4 });
      }),
    );
  },
);
