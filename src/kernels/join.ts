import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/join.js';
import { perRowGroupAndFeature } from './geometry.js';

export const join = /*#__PURE__*/ defineKernel(source.join, (rows, { features }) => perRowGroupAndFeature(source.join, rows, features));
