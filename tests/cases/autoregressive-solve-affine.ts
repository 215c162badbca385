import { SCALE_NUMBER } from '../../src/kernels/affine.js';
import { TASK_WORDS } from '../../src/kernels/autoregressive-solve.js';
import { autoregressiveSolveAffine } from '../../src/kernels/autoregressive-solve-affine.js';
import { joinTasks } from '../../src/tuning/fuse-solves.js';
import type { ConditionerShape } from '../support/conditioners.js';
import { mixConstants, SCALE_CONSTANTS } from './affine.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';
import { solvePanelOf, solvePlanOf } from './solve-panel.js';

const SEED = 20170519;

const solve = (
  name: string,
  shape: ConditionerShape,
  options: { rows?: number; scale?: keyof typeof SCALE_NUMBER; undo?: boolean; logDet?: boolean; mix?: number; panel?: number } = {},
) => {
  const { rows = 257, scale = 'clamp', undo = false, logDet = true, mix, panel = 0 } = options;
  const { params, constants, buffers } = solvePanelOf(SEED, { ...shape, heads: scale === 'none' ? 1 : 2 }, panel);
  return {
    name: [
      name,
      `D ${shape.dim}`,
      `${rows} rows`,
      scale,
      ...(undo ? ['undone'] : []),
      ...(logDet ? [] : ['no log-det']),
      ...(mix ? [`mix ${mix}`] : []),
      ...(panel ? [`panel ${panel}`] : []),
    ].join(', '),
    rows,
    params,
    constants: {
      ...constants,
      ...SCALE_CONSTANTS[scale],
      SCALE: SCALE_NUMBER[scale],
      UNDO: undo,
      HAS_LOG_DET: logDet,
      ...mixConstants(mix ? { mix, back: true } : undefined),
    },
    buffers: {
      ...buffers,
      source: tiledNormals(shape.dim),
    },
    tolerance: { bound: 2e-5 }, // errors go through up to D steps
  };
};

/** Three layers in one list, with features that change places between them. */
function joined(rows: number) {
  const plans = [made(5, 20, 20), made(5, 31), { ...made(5, 12, 12), residual: true }].map((shape) =>
    solvePlanOf(SEED, { ...shape, heads: 2 }),
  );
  const nodes = Math.max(...plans.map((plan) => plan.nodes));
  const order = Uint32Array.of(3, 0, 4, 2, 1);
  const tasks = joinTasks(
    plans.map(({ panels }) => ({ ...panels[0]!, order })),
    nodes,
  );
  const one = solve('three layers in one list', made(5, 20), { rows });
  return {
    ...one,
    constants: { ...one.constants, GENERAL: plans.some(({ general }) => general) },
    params: { ...one.params, tasks: tasks.length / TASK_WORDS, nodes: 2 * nodes + 1 },
    buffers: {
      ...one.buffers,
      weight: table(() => Float32Array.from(plans.flatMap(({ panels }) => [...panels[0]!.weight]))),
      bias: table(() => Float32Array.from(plans.flatMap(({ panels }) => [...panels[0]!.bias]))),
      tasks: table(() => tasks),
      state: tiledNormals(2 * nodes + 1, Number.NaN),
    },
    tolerance: { bound: 6e-5 },
  };
}

const made = (dim: number, ...hidden: number[]): ConditionerShape => ({ dim, hidden });

export const autoregressiveSolveAffineCases = defineCases(autoregressiveSolveAffine, [
  ...ROWS.map((rows) => solve('made', made(5, 20, 20), { rows })),
  ...[3, 257].map(joined),
  solve('made', made(1, 7)),
  solve('made', made(2, 7)),
  solve('made', made(63, 130)),
  solve('made', made(9, 96, 33, 70)),
  // The maps themselves are cases of the affine kernel, which has them by the same function; each solve takes a second and more to compile.
  ...(['none', 'exp'] as const).map((scale) => solve('made', made(5, 20), { scale })),
  ...(['sigmoid', 'softplus'] as const).map((scale) => solve('made', made(5, 20), { scale, undo: true })),
  solve('made', made(5, 20), { logDet: false }),
  ...[false, true].map((undo) => solve('made', made(5, 20), { undo, mix: 0.4 })),
  ...[3, 257].map((rows) => solve('made', made(9, 200, 200), { rows, panel: 3 })),
  solve('residual with gated context', { dim: 9, hidden: [200, 200], residual: true, contextDim: 3 }, { panel: 2 }),
  solve('random degrees', { dim: 9, hidden: [40, 31], masks: 'random', activation: 'tanh' }),
  solve('random entries', { dim: 9, hidden: [25, 18], masks: 'sparse', activation: 'elu' }),
  solve('norm', { dim: 6, hidden: [19, 12], norm: true, activation: 'silu' }),
  solve('residual', { dim: 6, hidden: [21, 21, 21], residual: true, norm: true }),
  solve('residual with gated context', { dim: 6, hidden: [21, 21], residual: true, contextDim: 3 }),
  solve('two nets with context', { dim: 6, hidden: [19, 12], twoNets: true, contextDim: 2, activation: 'softplus' }),
]);
