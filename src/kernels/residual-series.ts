import * as source from './generated/residual-series.js';
import { tileKernel } from './geometry.js';

/** Numbers as in shaders/residual-series.wgsl. */
export const PROBE_NUMBER = { unit: 0, rademacher: 1, gaussian: 2 } as const;

export const residualSeries = /*#__PURE__*/ tileKernel(source.residualSeries);
