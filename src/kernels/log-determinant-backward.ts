import * as source from './generated/log-determinant-backward.js';
import { featureKernel } from './geometry.js';

export const logDeterminantBackward = /*#__PURE__*/ featureKernel(source.logDeterminantBackward, ({ dim }) => dim);
