import { defineRule, type GradientTarget } from '../../runtime/derivative.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { multiplyAdd } from '../multiply-add.js';

export const multiplyAddRule = /*#__PURE__*/ defineRule(multiplyAdd, (r, { buffers: { a, b }, params, constants }, gradients) => {
  const dY = gradients.of('y');
  if (!dY) return;
  const { features, factor, y_at, y_features } = params;
  if (params.a_at !== 0 || params.a_features !== features || (constants.HAS_B && params.b_features !== features))
    throw new TypeError(`${r.place}: a product of slices, or with a repeated factor, has no derivative rule`);
  const times = (target: GradientTarget | null, other: TiledTensor) => {
    if (!target) return;
    r.run(multiplyAdd, {
      buffers: { a: dY, b: other, y: target.tensor },
      params: { features, a_features: y_features, a_at: y_at, b_features: features, y_features: features, y_at: 0, factor },
      constants: { HAS_B: constants.HAS_B === true, ADD: target.add },
    });
  };
  times(gradients.into('a'), b as TiledTensor);
  if (constants.HAS_B) times(gradients.into('b'), a as TiledTensor);
});
