import * as source from './generated/tangents-backward.js';
import { featureKernel } from './geometry.js';

export const tangentsBackward = /*#__PURE__*/ featureKernel(source.tangentsBackward);
