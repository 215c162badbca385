import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/join.js';
import { perRowGroupAndFeature } from './geometry.js';

export const join = defineKernel(source.join, (rows, { features }) => perRowGroupAndFeature(source.join, rows, features));
