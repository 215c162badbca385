import * as source from './generated/reflections-backward.js';
import { listKernel } from './geometry.js';

export const reflections = {
  product: /*#__PURE__*/ listKernel(source.reflections, ({ features }) => features),
  productBackward: /*#__PURE__*/ listKernel(source.reflectionsBackward, () => 1),
};
