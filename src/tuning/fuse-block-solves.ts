// A sequential solve of a chain of layers, by blocks of inputs that invocations hold: one command with another list of tasks.

import type { SolvePanel } from '../flows/conditioner/solve-plan.js';
import { BLOCK_WORDS, MOST_STAGES } from '../kernels/block-solve.js';
import { blockSolveAffine } from '../kernels/block-solve-affine.js';
import { blockSolveMixture } from '../kernels/block-solve-mixture.js';
import { blockSolveSpline } from '../kernels/block-solve-spline.js';
import type { Kernel } from '../runtime/kernel.js';
import { memo } from '../runtime/memo.js';
import type { Command } from '../runtime/program.js';
import { type BlockList, blockTasks } from './block-tasks.js';
import { constantOf, type Fusion, finder, isConstant, isScratch, labelOf, type Users } from './fusion.js';
import { readSolve } from './solve-units.js';

const kernels: Readonly<Record<string, Kernel>> = {
  'autoregressive-solve-affine': blockSolveAffine as unknown as Kernel,
  'autoregressive-solve-mixture': blockSolveMixture as unknown as Kernel,
  'autoregressive-solve-spline': blockSolveSpline as unknown as Kernel,
};

export const blockKernels: readonly Kernel[] = Object.values(kernels);

const lists = new WeakMap<object, BlockList | null>();

/** A list that makes the same as one of strips; null where the net has too few layers, or too many, or rectifies parameters. */
export function blockListOf({ tasks, weight, bias, strips }: SolvePanel): BlockList | null {
  const stages = 1 + Math.max(...strips.map(({ stage }) => stage));
  return stages < 2 || stages > MOST_STAGES ? null : blockTasks(readSolve(tasks, weight, bias, strips), stages);
}

/** Ids of the state tensors: each of its command alone, and no other's. */
const FIRST_ID = -(2 ** 30);

/** The solve that ends at `end`, panels and the products in front of them together. */
function fuseBlockSolve(commands: readonly Command[], users: Users, end: number): Fusion | null {
  const last = commands[end]!;
  const { kernel, tensors, params, constants } = last;
  const block = kernels[kernel.source.name];
  const { source, tasks, side, state, result, log_det } = tensors;
  const whole = isConstant(tasks) && (tasks.whole as (() => SolvePanel) | null | undefined);
  const indices = (state && isScratch(state) && users.get(state.id)) || [];
  if (!block || !whole || indices.at(-1) !== end || indices.length !== end - indices[0]! + 1) return null;
  if (isScratch(side!) && users.get(side.id)!.some((index) => !indices.includes(index))) return null;
  const parts = indices.map((index) => commands[index]!);
  if (!parts.every(({ tensors: { weight, bias }, stage }) => stage === undefined && isConstant(weight) && isConstant(bias))) return null;
  const list = memo(lists, tasks.data, () => blockListOf(whole()));
  if (!list) return null;
  const { GENERAL, PANELS, ...transformer } = constants;
  return {
    parts,
    command: {
      label: labelOf(last, block),
      kernel: block,
      tensors: {
        source: source!,
        weight: constantOf(list.weight, 'block solve weight'),
        tasks: constantOf(list.tasks, 'block solve tasks'),
        state: { kind: 'tiled', id: FIRST_ID - end, features: list.nodes, dtype: 'f32', label: 'block solve state' },
        result: result!,
        log_det: log_det!,
      },
      params: { tasks: list.tasks.length / BLOCK_WORDS, nodes: list.nodes, dim: params.dim! },
      constants: { ...transformer, STAGES: list.stages, FEATURE_EIGHTS: list.eights[0], UNIT_EIGHTS: list.eights[1] },
    },
  };
}

export const blockSolvesIn = /*#__PURE__*/ finder(fuseBlockSolve);
