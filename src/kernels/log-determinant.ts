import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/log-determinant.js';
import { perRowGroup } from './geometry.js';

export const logDeterminant = /*#__PURE__*/ defineKernel(source.logDeterminant, (rows) => perRowGroup(source.logDeterminant, rows));
