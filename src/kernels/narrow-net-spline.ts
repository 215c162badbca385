import * as source from './generated/narrow-net-spline.js';
import { narrowNetKernel } from './narrow-net.js';

export const narrowNetSpline = /*#__PURE__*/ narrowNetKernel(source.narrowNetSpline);
