import * as source from './generated/add-table.js';
import { rowKernel } from './geometry.js';

export const addTable = /*#__PURE__*/ rowKernel(source.addTable);
