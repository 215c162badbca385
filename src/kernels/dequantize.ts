import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/dequantize.js';
import { perRowGroupAndFeature } from './geometry.js';

export const dequantization = {
  dequantize: /*#__PURE__*/ defineKernel(source.dequantize, (rows, { features }) =>
    perRowGroupAndFeature(source.dequantize, rows, features),
  ),
  quantize: /*#__PURE__*/ defineKernel(source.quantize, (rows, { features }) => perRowGroupAndFeature(source.quantize, rows, features)),
};
