import { defineRule } from '../../runtime/derivative.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { targetKernel } from '../target.js';
import { addProduct } from './accumulate.js';

/** The forward pass has left the gradient beside the value. */
export const targetRule = /*#__PURE__*/ defineRule<ReturnType<typeof targetKernel>['source']>(
  'target.pushforward_target',
  (r, { buffers: { slope } }, gradients) => {
    const [dValue, dX] = [gradients.of('value'), gradients.into('x')];
    if (dValue && dX) addProduct(r, dX, slope as TiledTensor, dValue);
  },
);
