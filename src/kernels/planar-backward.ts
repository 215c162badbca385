import * as source from './generated/planar-backward.js';
import { rowKernel } from './geometry.js';

export const planarBackward = /*#__PURE__*/ rowKernel(source.planarBackward);
