import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/residual-series.js';
import { perTile } from './geometry.js';

/** Numbers as in shaders/residual-series.wgsl. */
export const PROBE_NUMBER = { unit: 0, rademacher: 1, gaussian: 2 } as const;

export const residualSeries = /*#__PURE__*/ defineKernel(source.residualSeries, (rows) => perTile(source.residualSeries, rows));
