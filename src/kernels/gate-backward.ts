import * as source from './generated/gate-backward.js';
import { featureKernel, listKernel } from './geometry.js';

export const gate = /*#__PURE__*/ featureKernel(source.gate, ({ features, blocks }) => features * blocks);
export const gateSums = /*#__PURE__*/ listKernel(source.gateSums, ({ features }) => features);
