import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/householder.js';
import { perRowGroup } from './geometry.js';

export const householder = /*#__PURE__*/ defineKernel(source.householder, (rows) => perRowGroup(source.householder, rows));
