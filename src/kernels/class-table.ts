import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/class-table.js';
import { perRowGroupAndFeature } from './geometry.js';

export const classTable = /*#__PURE__*/ defineKernel(source.classTable, (rows, { features }) =>
  perRowGroupAndFeature(source.classTable, rows, features),
);
