import * as source from './generated/determinant-backward.js';
import { listKernel } from './geometry.js';

export const determinant = {
  invert: /*#__PURE__*/ listKernel(source.invert, () => 1),
  gradient: /*#__PURE__*/ listKernel(source.determinantGradient, ({ features }) => features * features),
};
