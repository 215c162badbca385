import { defineRule } from '../../runtime/derivative.js';
import { activation } from '../activation.js';
import { addProduct } from './accumulate.js';

export const activationRule = /*#__PURE__*/ defineRule(activation, (r, { buffers: { source: v }, params, constants }, gradients) => {
  const [dValue, dSource] = [gradients.of('value'), gradients.into('source')];
  if (gradients.of('slope')) throw new TypeError(`${r.place}: the slope of an activation has no derivative rule`);
  if (!dValue || !dSource) return;
  const slope = r.tiled(params.features, 'slope');
  r.run(activation, {
    buffers: { source: v, value: r.tiled(1, 'unused'), slope },
    params,
    constants: { ...constants, HAS_VALUE: false, HAS_SLOPE: true },
  });
  addProduct(r, dSource, dValue, slope);
});
