import * as source from './generated/sylvester-backward.js';
import { rowKernel } from './geometry.js';

export const sylvesterBackward = /*#__PURE__*/ rowKernel(source.sylvesterBackward);
