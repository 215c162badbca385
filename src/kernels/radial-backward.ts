import * as source from './generated/radial-backward.js';
import { rowKernel } from './geometry.js';

export const radialBackward = /*#__PURE__*/ rowKernel(source.radialBackward);
