import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/conv2d.js';
import { tileKernel } from './geometry.js';
import { STRIP } from './linear-strips.js';

export const conv2d = /*#__PURE__*/ tileKernel(
  source.conv2d,
  ({ params: { inputs, outputs, height, width, kernel } }) => ceilDiv(outputs, STRIP) * STRIP * inputs * kernel * kernel * height * width,
  ({ outputs, height, width }) => [ceilDiv(outputs, STRIP), ceilDiv(height * width, 2)],
);
