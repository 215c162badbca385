import { type SplineSettings, splineConstants, splineParameters } from '../../src/flows/transformers/spline.js';
import { autoregressiveSolveSpline } from '../../src/kernels/autoregressive-solve-spline.js';
import type { ConditionerShape } from '../support/conditioners.js';
import { defineCases, ROWS, tiledNormals } from './case.js';
import { solvePanelOf } from './solve-panel.js';
import { SPLINES } from './spline.js';

const solve = (name: string, shape: ConditionerShape, options: { rows?: number; logDet?: boolean; panel?: number } = {}) => {
  const { rows = 257, logDet = true, panel = 0 } = options;
  const settings: SplineSettings = SPLINES[name]!;
  const { params, constants, buffers } = solvePanelOf(20190610, { ...shape, heads: splineParameters(settings) }, panel);
  return {
    name: [name, `D ${shape.dim}`, `${rows} rows`, ...(logDet ? [] : ['no log-det']), ...(panel ? [`panel ${panel}`] : [])].join(', '),
    rows,
    params,
    constants: { ...splineConstants(settings, false), HAS_LOG_DET: logDet, ...constants },
    buffers: {
      ...buffers,
      source: tiledNormals(shape.dim, settings.box[3] / 4),
    },
    tolerance: { bound: 5e-4 }, // errors go through up to D steps, and what a narrow bin makes of them (spline.ts)
  };
};

const made = (dim: number, ...hidden: number[]): ConditionerShape => ({ dim, hidden });
const FIRST = 'rational-quadratic, divided';

export const autoregressiveSolveSplineCases = defineCases(autoregressiveSolveSpline, [
  ...ROWS.map((rows) => solve(FIRST, made(5, 20, 20), { rows })),
  solve(FIRST, made(1, 7)),
  solve(FIRST, made(2, 7)),
  solve(FIRST, made(63, 70)),
  solve(FIRST, { dim: 6, hidden: [21, 21], residual: true, contextDim: 3 }),
  solve(FIRST, made(5, 20), { logDet: false }),
  solve(FIRST, made(9, 200, 200), { panel: 3 }),
  ...[
    'rational-quadratic, linear tails',
    'rational-quadratic, soft bounds',
    'rational-quadratic, circular',
    'quadratic, linear tails',
    'cubic, linear tails',
  ].map((name) => solve(name, made(4, 20))),
]);
