import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/row-sum.js';
import { perRowGroup } from './geometry.js';

export const rowSum = defineKernel(source.rowSum, (rows) => perRowGroup(source.rowSum, rows));
