import * as source from './generated/fill.js';
import { rowKernel } from './geometry.js';

export const fill = /*#__PURE__*/ rowKernel(source.fill);
