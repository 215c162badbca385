import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/fill.js';
import { perRowGroup } from './geometry.js';

export const fill = /*#__PURE__*/ defineKernel(source.fill, (rows) => perRowGroup(source.fill, rows));
