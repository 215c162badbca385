import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/radial.js';
import { perRowGroup } from './geometry.js';

export const radial = /*#__PURE__*/ defineKernel(source.radial, (rows) => perRowGroup(source.radial, rows));
