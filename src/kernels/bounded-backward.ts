import * as source from './generated/bounded-backward.js';
import { featureKernel, listKernel } from './geometry.js';

export const boundedBackward = /*#__PURE__*/ featureKernel(source.boundedBackward);

/** Of a learned temperature; formulas in shaders/bounded-backward.wgsl. */
export const temperature = {
  table: /*#__PURE__*/ listKernel(source.supportTable, ({ features }) => 6 * features),
  tableBackward: /*#__PURE__*/ listKernel(source.supportTableBackward, ({ features }) => 6 * features),
  gradient: /*#__PURE__*/ listKernel(source.boundedGradient, ({ features }) => features),
};
