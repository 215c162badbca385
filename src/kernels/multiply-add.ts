import * as source from './generated/multiply-add.js';
import { featureKernel } from './geometry.js';

export const multiplyAdd = /*#__PURE__*/ featureKernel(source.multiplyAdd);
