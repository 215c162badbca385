import * as source from './generated/dequantize.js';
import { featureKernel } from './geometry.js';

export const dequantization = {
  dequantize: /*#__PURE__*/ featureKernel(source.dequantize),
  quantize: /*#__PURE__*/ featureKernel(source.quantize),
};
