import { readiness } from '../../src/flows/conditioner/readiness.js';
import { planSolve } from '../../src/flows/conditioner/solve-plan.js';
import { autoregressiveSolveMixture } from '../../src/kernels/autoregressive-solve-mixture.js';
import { type ConditionerShape, makeConditioner } from '../support/conditioners.js';
import { Random } from '../support/random.js';
import { defineCases, ROWS, table, tiledNormals, unread } from './case.js';

const solve = (
  name: string,
  shape: ConditionerShape,
  options: { rows?: number; components?: number; logDet?: boolean; spread?: number; bound?: number } = {},
) => {
  // Where the density is small, between components, the inverse magnifies what the steps before left: 1.5e-4 in one of nine draws of D 6.
  const { rows = 257, components = 3, logDet = true, spread = 1, bound = shape.dim > 5 ? 5e-4 : 1e-4 } = options;
  const conditioner = makeConditioner(new Random(20170519), { ...shape, heads: 3 * components });
  const ready = readiness(conditioner);
  if (!ready) throw new Error('the masks of a case are not autoregressive');
  const plan = planSolve(conditioner, ready);
  return {
    name: [name, `D ${shape.dim}`, `${rows} rows`, `${components} components`, ...(logDet ? [] : ['no log-det'])].join(', '),
    rows,
    params: { tasks: plan.taskCount, nodes: plan.nodes, dim: shape.dim, side_features: plan.sideFeatures },
    constants: { COMPONENTS: components, EPS: 0.01, HAS_LOG_DET: logDet, GENERAL: plan.general },
    buffers: {
      source: tiledNormals(shape.dim, spread),
      weight: table(() => plan.weight),
      bias: table(() => plan.bias),
      tasks: table(() => plan.tasks),
      side: plan.side.length > 0 ? tiledNormals(plan.sideFeatures) : unread,
      state: tiledNormals(plan.nodes, Number.NaN), // nothing may be read before it is computed
      result: tiledNormals(shape.dim),
      log_det: tiledNormals(1),
    },
    tolerance: { bound },
  };
};

const made = (dim: number, ...hidden: number[]): ConditionerShape => ({ dim, hidden });

export const autoregressiveSolveMixtureCases = defineCases(autoregressiveSolveMixture, [
  ...ROWS.map((rows) => solve('made', made(5, 20, 20), { rows })),
  solve('made', made(1, 7)),
  solve('made', made(2, 7), { components: 1 }),
  solve('made', made(2, 7), { components: 7 }),
  solve('made', made(63, 70), { components: 2 }),
  solve('made', made(5, 20), { logDet: false }),
  solve('residual with gated context', { dim: 6, hidden: [21, 21], residual: true, contextDim: 3 }),
]);
