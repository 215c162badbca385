import * as source from './generated/series.js';
import { featureKernel, rowKernel } from './geometry.js';

export const series = {
  readStep: /*#__PURE__*/ featureKernel(source.readStep),
  writeStep: /*#__PURE__*/ featureKernel(source.writeStep),
  meanScale: /*#__PURE__*/ featureKernel(source.meanScale),
  total: /*#__PURE__*/ rowKernel(source.total),
};
