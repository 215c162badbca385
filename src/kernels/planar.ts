import * as source from './generated/planar.js';
import { rowKernel } from './geometry.js';

export const planar = /*#__PURE__*/ rowKernel(source.planar);
