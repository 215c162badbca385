import * as source from './generated/residual-series.js';
import { tileKernel } from './geometry.js';

export const residualSeries = /*#__PURE__*/ tileKernel(source.residualSeries);
