import * as source from './generated/class-table.js';
import { featureKernel } from './geometry.js';

export const classTable = /*#__PURE__*/ featureKernel(source.classTable);
