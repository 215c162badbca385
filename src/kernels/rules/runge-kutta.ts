import { defineRule } from '../../runtime/derivative.js';
import { NONE } from '../../runtime/tensor.js';
import { multiplyAdd } from '../multiply-add.js';
import type { rungeKutta } from '../runge-kutta.js';
import { advanceBackward } from '../runge-kutta-backward.js';

export const advanceRule = /*#__PURE__*/ defineRule<(typeof rungeKutta.advance)['source']>(
  'runge-kutta.advance',
  (r, { buffers: { coefficients }, params }, gradients) => {
    const dY = gradients.of('y');
    if (!dY) return;
    if (coefficients.kind === 'table') throw new TypeError(`${r.place}: coefficients of a step that are learned have no derivative rule`);
    const { features, terms, x_features, x_at, k_features, k_stride, y_features, y_at } = params;
    const dX = gradients.into('x', features !== x_features);
    if (dX)
      r.run(multiplyAdd, {
        buffers: { a: dY, b: NONE, y: dX.tensor },
        params: { features, a_features: y_features, a_at: y_at, b_features: 1, y_features: x_features, y_at: x_at, factor: 1 },
        constants: { ADD: dX.add },
      });
    const dK = terms > 0 ? gradients.into('k', terms * features !== k_features) : null;
    if (dK)
      r.run(advanceBackward, {
        buffers: { d_y: dY, coefficients, d_k: dK.tensor },
        params: { features, terms, k_features, k_stride, y_features, y_at },
        constants: { ADD: dK.add },
      });
  },
);
