// The list of a solve by blocks computes what the list of strips does that it is made from.

import { describe, expect, test } from 'vitest';
import { readiness } from '../../src/flows/conditioner/readiness.js';
import { planSolve, type SolvePlan } from '../../src/flows/conditioner/solve-plan.js';
import { BLOCK_WORDS } from '../../src/kernels/block-solve.js';
import { paddedRows } from '../../src/runtime/tensor.js';
import { blockListOf } from '../../src/tuning/fuse-block-solves.js';
import { autoregressiveSolveAffine } from '../reference/autoregressive-solve-affine.js';
import { blockSolveAffine } from '../reference/block-solve-affine.js';
import { completeConstants, type Twin } from '../reference/twin.js';
import { type ConditionerShape, makeConditioner } from '../support/conditioners.js';
import { freshSeed, Random } from '../support/random.js';

const ROWS = 3;

const shapes: Readonly<Record<string, ConditionerShape>> = {
  'D 1': { dim: 1, hidden: [7] },
  'D 2': { dim: 2, hidden: [7] },
  'D 5, two layers': { dim: 5, hidden: [33, 20] },
  'D 6, fewer units than features': { dim: 6, hidden: [3, 2] },
  'D 9, random degrees, three layers': { dim: 9, hidden: [40, 31, 50], masks: 'random' },
  'D 30, random entries': { dim: 30, hidden: [70, 110], masks: 'sparse' },
  'D 63': { dim: 63, hidden: [130, 70] },
  'D 4, a step of many units': { dim: 4, hidden: [300, 200] },
};

const planOf = (random: Random, shape: ConditionerShape): SolvePlan => {
  const conditioner = makeConditioner(random, shape);
  return planSolve(conditioner, readiness(conditioner)!);
};

/** Values and log-dets, in float64; what was not computed is NaN. */
function runTwin(
  twin: Twin,
  constants: Readonly<Record<string, number | boolean>>,
  params: Readonly<Record<string, number>>,
  buffers: Readonly<Record<string, Float64Array | Uint32Array>>,
): readonly [values: Float64Array, logDets: Float64Array] {
  const [result, log_det] = [new Float64Array(buffers.source!.length).fill(Number.NaN), new Float64Array(paddedRows(ROWS))];
  twin.run({
    rows: ROWS,
    firstRow: 0,
    seed: 0,
    contextStride: 1,
    params,
    constants: completeConstants(twin.source, constants) as never,
    buffers: { ...buffers, result, log_det } as never,
  });
  return [result, log_det];
}

describe('solve by blocks', () => {
  test.each(Object.entries(shapes))('%s', (_, shape) => {
    const seed = freshSeed();
    const random = new Random(seed);
    const plan = planOf(random, shape);
    expect(plan.chain && !plan.general).toBe(true);
    const padded = paddedRows(ROWS);
    const source = Float64Array.from(random.normals(padded * shape.dim));
    const [panel] = plan.panels as [SolvePlan['panels'][number]];
    const strips = runTwin(
      autoregressiveSolveAffine,
      { SCALE: 1 },
      { tasks: panel.taskCount, nodes: plan.nodes, dim: shape.dim, side_features: plan.sideFeatures },
      {
        source,
        weight: Float64Array.from(panel.weight),
        bias: Float64Array.from(panel.bias),
        tasks: panel.tasks,
        side: new Float64Array(4),
        state: new Float64Array(padded * plan.nodes).fill(Number.NaN),
      },
    );
    const list = blockListOf(panel)!;
    const blocks = runTwin(
      blockSolveAffine,
      { SCALE: 1, STAGES: list.stages, FEATURE_EIGHTS: list.eights[0], UNIT_EIGHTS: list.eights[1] },
      { tasks: list.tasks.length / BLOCK_WORDS, nodes: list.nodes, dim: shape.dim },
      {
        source,
        weight: Float64Array.from(list.weight),
        tasks: list.tasks,
        state: new Float64Array(padded * list.nodes).fill(Number.NaN),
      },
    );
    for (const [i, what] of (['value', 'log-det'] as const).entries())
      for (const [at, expected] of strips[i]!.entries()) {
        const note = `${what} ${at}, VITE_TEST_SEED=${seed}`;
        if (Number.isNaN(expected)) expect(blocks[i]![at], note).toBeNaN();
        else expect(Math.abs(blocks[i]![at]! - expected), note).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)));
      }
  });

  test('is for chains of up to four layers with a bias and a ReLU', () => {
    const random = new Random(1);
    const isRead = (shape: ConditionerShape) => {
      const { chain, general } = planOf(random, shape);
      return chain && !general;
    };
    expect(isRead({ dim: 6, hidden: [19, 12], activation: 'identity' })).toBe(true);
    expect(isRead({ dim: 6, hidden: [21, 21, 21], residual: true })).toBe(false);
    expect(isRead({ dim: 6, hidden: [19, 12], twoNets: true })).toBe(false);
    expect(isRead({ dim: 6, hidden: [19, 12], activation: 'tanh' })).toBe(false);
    expect(isRead({ dim: 6, hidden: [19, 12], contextDim: 2 })).toBe(false);
    expect(blockListOf(planOf(random, { dim: 6, hidden: [19, 12, 8, 9] }).panels[0]!)).toBeNull();
  });
});
