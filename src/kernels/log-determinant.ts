import * as source from './generated/log-determinant.js';
import { rowKernel } from './geometry.js';

export const logDeterminant = /*#__PURE__*/ rowKernel(source.logDeterminant);
