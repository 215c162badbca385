import * as source from './generated/diagonal-mixture-backward.js';
import { listKernel, rowKernel } from './geometry.js';

const perComponent = ({ components }: { readonly components: number }) => components;

export const mixtureBackward = {
  shares: /*#__PURE__*/ rowKernel(source.mixtureShares),
  moments: /*#__PURE__*/ listKernel(source.mixtureMoments, ({ dim, components }) => dim * components),
  table: /*#__PURE__*/ listKernel(source.mixtureTable, perComponent),
  tableBackward: /*#__PURE__*/ listKernel(source.mixtureTableBackward, perComponent),
};
