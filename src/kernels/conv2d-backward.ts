import * as source from './generated/conv2d-backward.js';
import { featureKernel } from './geometry.js';

export const rectifyBackward = /*#__PURE__*/ featureKernel(source.rectifyBackward);
export const pixelSums = /*#__PURE__*/ featureKernel(source.pixelSums);
/** `features` counts every pixel of every channel. */
export const centerPixels = /*#__PURE__*/ featureKernel(source.centerPixels);
