import * as source from './generated/batch-norm-backward.js';
import { featureKernel, listKernel } from './geometry.js';

const perFeature = ({ features }: { readonly features: number }) => features;

/** Statistics of batch norm in training; formulas in shaders/batch-norm-backward.wgsl. */
export const batchNorm = {
  moments: /*#__PURE__*/ listKernel(source.batchMoments, perFeature),
  running: /*#__PURE__*/ listKernel(source.runningMoments, perFeature),
  backward: /*#__PURE__*/ featureKernel(source.batchMomentsBackward),
};
