import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/pack.js';
import { perRowGroupAndFeature } from './geometry.js';

export const pack = {
  pack: /*#__PURE__*/ defineKernel(source.pack, (rows, { features }) => perRowGroupAndFeature(source.pack, rows, features)),
  unpack: /*#__PURE__*/ defineKernel(source.unpack, (rows, { features }) => perRowGroupAndFeature(source.unpack, rows, features)),
};
