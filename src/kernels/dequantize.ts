import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/dequantize.js';
import { perRowGroupAndFeature } from './geometry.js';

export const dequantization = {
  dequantize: defineKernel(source.dequantize, (rows, { features }) => perRowGroupAndFeature(source.dequantize, rows, features)),
  quantize: defineKernel(source.quantize, (rows, { features }) => perRowGroupAndFeature(source.quantize, rows, features)),
};
