import { readiness } from '../../src/flows/conditioner/readiness.js';
import { planSolve } from '../../src/flows/conditioner/solve-plan.js';
import { type SplineSettings, splineConstants, splineParameters } from '../../src/flows/transformers/spline.js';
import { autoregressiveSolveSpline } from '../../src/kernels/autoregressive-solve-spline.js';
import { type ConditionerShape, makeConditioner } from '../support/conditioners.js';
import { Random } from '../support/random.js';
import { defineCases, ROWS, table, tiledNormals, unread } from './case.js';
import { SPLINES } from './spline.js';

const solve = (name: string, shape: ConditionerShape, options: { rows?: number; logDet?: boolean } = {}) => {
  const { rows = 257, logDet = true } = options;
  const settings: SplineSettings = SPLINES[name]!;
  // The plan decides the shapes, so its conditioner comes from a seed of the case, and only the activations are fresh in every run.
  const conditioner = makeConditioner(new Random(20190610), { ...shape, heads: splineParameters(settings) });
  const plan = planSolve(conditioner, readiness(conditioner)!);
  return {
    name: [name, `D ${shape.dim}`, `${rows} rows`, ...(logDet ? [] : ['no log-det'])].join(', '),
    rows,
    params: { tasks: plan.taskCount, nodes: plan.nodes, dim: shape.dim, side_features: plan.sideFeatures },
    constants: { ...splineConstants(settings, false), HAS_LOG_DET: logDet, GENERAL: plan.general },
    buffers: {
      source: tiledNormals(shape.dim, settings.box[3] / 4),
      weight: table(() => plan.weight),
      bias: table(() => plan.bias),
      tasks: table(() => plan.tasks),
      side: plan.side.length > 0 ? tiledNormals(plan.sideFeatures) : unread,
      state: tiledNormals(plan.nodes, Number.NaN), // nothing may be read before it is computed
      result: tiledNormals(shape.dim),
      log_det: tiledNormals(1),
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
  ...[
    'rational-quadratic, linear tails',
    'rational-quadratic, soft bounds',
    'rational-quadratic, circular',
    'quadratic, linear tails',
    'cubic, linear tails',
  ].map((name) => solve(name, made(4, 20))),
]);
