import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import * as source from './generated/conv2d.js';
import { perTile } from './geometry.js';
import { STRIP } from './masked-linear.js';

export const conv2d = /*#__PURE__*/ defineKernel(
  source.conv2d,
  (rows, { outputs, height, width }) => {
    const [x, y] = perTile(source.conv2d, rows, ceilDiv(outputs, STRIP));
    return [x, y, ceilDiv(height * width, 2)];
  },
  ({ params: { inputs, outputs, height, width, kernel } }) => ceilDiv(outputs, STRIP) * STRIP * inputs * kernel * kernel * height * width,
);
