import * as source from './generated/pack.js';
import { featureKernel } from './geometry.js';

export const pack = {
  pack: /*#__PURE__*/ featureKernel(source.pack),
  unpack: /*#__PURE__*/ featureKernel(source.unpack),
};
