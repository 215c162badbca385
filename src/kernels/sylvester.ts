import * as source from './generated/sylvester.js';
import { rowKernel } from './geometry.js';

export const sylvester = /*#__PURE__*/ rowKernel(source.sylvester);
