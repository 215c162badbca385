// Solves by blocks, on nets whose layers hold their inputs in one block or in several.

import { type SplineSettings, splineConstants, splineParameters } from '../../src/flows/transformers/spline.js';
import { SCALE_NUMBER } from '../../src/kernels/affine.js';
import { BLOCK_WORDS } from '../../src/kernels/block-solve.js';
import { blockSolveAffine } from '../../src/kernels/block-solve-affine.js';
import { blockSolveMixture } from '../../src/kernels/block-solve-mixture.js';
import { blockSolveSpline } from '../../src/kernels/block-solve-spline.js';
import { blockListOf } from '../../src/tuning/fuse-block-solves.js';
import type { ConditionerShape } from '../support/conditioners.js';
import { SCALE_CONSTANTS } from './affine.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';
import { solvePlanOf } from './solve-panel.js';
import { SPLINES } from './spline.js';

const SEED = 20170519;

interface Options {
  readonly rows?: number;
  readonly logDet?: boolean;
}

const solve = (name: string, shape: ConditionerShape, { rows = 257, logDet = true }: Options = {}) => {
  const list = blockListOf(solvePlanOf(SEED, shape).panels[0]!);
  if (!list) throw new Error('the net of a case has too many layers');
  const { tasks, weight, nodes, stages, eights } = list;
  const { dim, hidden, masks } = shape;
  return {
    name: [
      `${name}, D ${dim}, hidden ${hidden.join(' ')}`,
      ...(masks ? [masks] : []),
      `${rows} rows`,
      ...(logDet ? [] : ['no log-det']),
    ].join(', '),
    rows,
    params: { tasks: tasks.length / BLOCK_WORDS, nodes, dim },
    constants: { HAS_LOG_DET: logDet, STAGES: stages, FEATURE_EIGHTS: eights[0], UNIT_EIGHTS: eights[1] },
    buffers: {
      source: tiledNormals(dim),
      weight: table(() => weight),
      tasks: table(() => tasks),
      state: tiledNormals(nodes, Number.NaN), // nothing may be read before it is computed
      result: tiledNormals(dim),
      log_det: tiledNormals(1),
    },
    tolerance: { bound: 2e-5 }, // as autoregressive-solve-affine.ts
  };
};

const made = (dim: number, ...hidden: number[]): ConditionerShape => ({ dim, hidden });

const affine = (shape: ConditionerShape, options: Options & { scale?: keyof typeof SCALE_NUMBER } = {}) => {
  const { scale = 'clamp' } = options;
  const one = solve(scale, { ...shape, heads: scale === 'none' ? 1 : 2 }, options);
  return { ...one, constants: { ...one.constants, ...SCALE_CONSTANTS[scale], SCALE: SCALE_NUMBER[scale], UNDO: false } };
};

export const blockSolveAffineCases = defineCases(blockSolveAffine, [
  ...ROWS.map((rows) => affine(made(5, 20, 20), { rows })),
  affine(made(1, 7)),
  affine(made(2, 7)),
  affine(made(63, 130)),
  affine(made(9, 96, 33, 70)),
  affine(made(9, 200, 200), { rows: 100 }),
  affine(made(5, 20), { scale: 'none' }),
  affine(made(5, 20), { logDet: false }),
  affine({ dim: 9, hidden: [40, 31], masks: 'random' }),
  affine({ dim: 30, hidden: [75, 60], masks: 'sparse' }),
  affine({ dim: 9, hidden: [40, 31], activation: 'identity' }),
]);

const mixture = (shape: ConditionerShape, options: Options & { bound: number }) => {
  const one = solve('3 components', { ...shape, heads: 9 }, options);
  return { ...one, constants: { ...one.constants, COMPONENTS: 3, EPS: 0.01 }, tolerance: { bound: options.bound } };
};

// Bounds are those of autoregressive-solve-mixture.ts.
export const blockSolveMixtureCases = defineCases(blockSolveMixture, [
  ...ROWS.map((rows) => mixture(made(5, 20, 20), { rows, bound: 1e-4 })),
  mixture(made(63, 70), { bound: 5e-4 }),
]);

const spline = (shape: ConditionerShape, options: Options = {}) => {
  const settings: SplineSettings = SPLINES['rational-quadratic, divided']!;
  const one = solve('rational-quadratic', { ...shape, heads: splineParameters(settings) }, options);
  return {
    ...one,
    constants: { ...splineConstants(settings, false), ...one.constants },
    buffers: { ...one.buffers, source: tiledNormals(shape.dim, settings.box[3] / 4) },
    tolerance: { bound: 5e-4 }, // as autoregressive-solve-spline.ts
  };
};

export const blockSolveSplineCases = defineCases(blockSolveSpline, [
  ...ROWS.map((rows) => spline(made(5, 20, 20), { rows })),
  spline(made(1, 7)),
  spline(made(63, 70)),
  spline(made(9, 200, 200), { rows: 100 }),
]);
