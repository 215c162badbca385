import { autoregressiveSolveMixture } from '../../src/kernels/autoregressive-solve-mixture.js';
import type { ConditionerShape } from '../support/conditioners.js';
import { defineCases, ROWS, tiledNormals } from './case.js';
import { solvePanelOf } from './solve-panel.js';

const solve = (
  name: string,
  shape: ConditionerShape,
  options: { rows?: number; components?: number; logDet?: boolean; spread?: number; bound?: number; panel?: number } = {},
) => {
  // Where the density is small, between components, the inverse magnifies what the steps before left: 1.5e-4 in one of nine draws of D 6.
  const { rows = 257, components = 3, logDet = true, spread = 1, panel = 0, bound = shape.dim > 5 ? 5e-4 : 1e-4 } = options;
  const { params, constants, buffers } = solvePanelOf(20170519, { ...shape, heads: 3 * components }, panel);
  return {
    name: [
      name,
      `D ${shape.dim}`,
      `${rows} rows`,
      `${components} components`,
      ...(logDet ? [] : ['no log-det']),
      ...(panel ? [`panel ${panel}`] : []),
    ].join(', '),
    rows,
    params,
    constants: { COMPONENTS: components, EPS: 0.01, HAS_LOG_DET: logDet, ...constants },
    buffers: {
      ...buffers,
      source: tiledNormals(shape.dim, spread),
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
  solve('made', made(63, 70)),
  solve('made', made(5, 20), { logDet: false }),
  solve('made', made(9, 200, 200), { panel: 3 }),
  solve('residual with gated context', { dim: 6, hidden: [21, 21], residual: true, contextDim: 3 }),
]);
