import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/planar.js';
import { perRowGroup } from './geometry.js';

export const planar = /*#__PURE__*/ defineKernel(source.planar, (rows) => perRowGroup(source.planar, rows));
