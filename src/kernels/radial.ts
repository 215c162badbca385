import * as source from './generated/radial.js';
import { rowKernel } from './geometry.js';

export const radial = /*#__PURE__*/ rowKernel(source.radial);
