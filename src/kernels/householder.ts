import * as source from './generated/householder.js';
import { rowKernel } from './geometry.js';

export const householder = /*#__PURE__*/ rowKernel(source.householder);
