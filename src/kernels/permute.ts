import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/permute.js';
import { perRowGroupAndFeature } from './geometry.js';

export const permute = defineKernel(source.permute, (rows, { features }) => perRowGroupAndFeature(source.permute, rows, features));
