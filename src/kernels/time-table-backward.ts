import * as source from './generated/time-table-backward.js';
import { elementKernel } from './geometry.js';

export const timeTable = /*#__PURE__*/ elementKernel(source.timeTable, ({ evaluations, width }) => evaluations * width);
export const timeTableBackward = /*#__PURE__*/ elementKernel(source.timeTableBackward, ({ terms, width }) => terms * width);
