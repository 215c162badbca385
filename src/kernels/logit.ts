import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/logit.js';
import { perRowGroupAndFeature } from './geometry.js';

export const logit = /*#__PURE__*/ defineKernel(source.logit, (rows, { features }) => perRowGroupAndFeature(source.logit, rows, features));
