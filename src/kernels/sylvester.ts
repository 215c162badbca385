import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/sylvester.js';
import { perRowGroup } from './geometry.js';

export const sylvester = /*#__PURE__*/ defineKernel(source.sylvester, (rows) => perRowGroup(source.sylvester, rows));
