// The solves of an autoregressive flow, layer after layer and with the permutations between them, as one task list. The kernel stays what it is: a feature
// of a later layer comes from the state row in which the layer before left it, and two regions of the state take turns.

import { TASK_FROM_STATE, TASK_HAS_SKIP, TASK_KIND, TASK_NONE, TASK_SKIPS, TASK_WORDS } from '../kernels/autoregressive-solve.js';
import { joined } from '../kernels/joined.js';
import { memo } from '../runtime/memo.js';
import type { Command } from '../runtime/program.js';
import type { ConstantTensor, Tensor, TiledTensor } from '../runtime/tensor.js';
import { type Fusion, isConstant, isSame, sharedByArrays, soleWriter, type Users } from './fusion.js';

/** State rows of a layer at most: its features, units and parameters. Beyond, a layer takes long beside its dispatch. */
const MOST_NODES = 512;

/** Words of a strip that are rows of the state. */
const ROW_WORDS = [3, 4, 5, 10];

type Data = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

interface Layer {
  readonly weight: Data;
  readonly bias: Data;
  readonly tasks: Uint32Array;
  /** Source feature of this layer: which one of the layer before, or of the list's source. */
  readonly order: Uint32Array;
}

/**
 * One list of the layers' tasks.
 *
 * @param nodes rows of a region of the state. The list needs two, and a row of zeros behind them.
 */
export function joinTasks(layers: readonly Layer[], nodes: number): Uint32Array<ArrayBuffer> {
  const all: number[] = [];
  /** State row of each feature of the layer before. */
  let before = new Map<number, number>();
  let [weights, biases] = [0, 0];
  for (const [index, { weight, bias, tasks, order }] of layers.entries()) {
    const region = (index % 2) * nodes;
    const known = new Map<number, number>();
    for (let at = 0; at < tasks.length; at += TASK_WORDS) {
      const task = tasks.slice(at, at + TASK_WORDS);
      const moveRow = (word: number) => {
        if (task[word] !== TASK_NONE) task[word]! += region;
      };
      if (task[0] === TASK_KIND.feature) {
        for (const word of [2, 4]) moveRow(word);
        known.set(task[1]!, task[4]!);
        const source = order[task[1]!]!;
        if (index > 0) task[TASK_FROM_STATE] = before.get(source)!;
      } else {
        task[2]! += weights;
        task[8]! += biases;
        ROW_WORDS.forEach(moveRow);
        if (task[9]! & TASK_HAS_SKIP) for (let lane = 0; lane < 8; lane++) moveRow(TASK_SKIPS + lane);
      }
      all.push(...task);
    }
    before = known;
    weights += weight.length / (weight instanceof Uint32Array ? 2 : 4); // a vec4 of weights is two words of float16
    biases += bias.length / 4;
  }
  return Uint32Array.from(all);
}

/** A solve without a context whose masks leave few units. */
const isSmall = ({ kernel, tensors, params, stage }: Command): boolean =>
  /^autoregressive-solve-\w+(-half)?$/.test(kernel.source.name) &&
  stage === undefined &&
  params.side_features === 1 &&
  tensors.side!.kind === 'constant' &&
  params.nodes! <= MOST_NODES &&
  [tensors.weight, tensors.bias, tensors.tasks].every(isConstant);

const dataOf = (tensor: Tensor | undefined) => (tensor as ConstantTensor).data;

/** Where the source of the solve at `index` comes from: another solve's result, through at most one permutation. */
function linkOf(commands: readonly Command[], users: Users, index: number): { solve: number; permutation: number | null } | null {
  const { source } = commands[index]!.tensors;
  const writer = soleWriter(users, source!, index);
  if (writer === null) return null;
  const { kernel, tensors, params } = commands[writer]!;
  if (kernel.source.entryPoint !== 'permute') return { solve: writer, permutation: null };
  const { dim } = commands[index]!.params;
  if (!isConstant(tensors.index) || params.features !== dim || params.source_features !== dim) return null;
  const solve = soleWriter(users, tensors.x!, writer);
  return solve === null ? null : { solve, permutation: writer };
}

/** Whether two solves differ in nothing but their layer. */
function alike(a: Command, b: Command): boolean {
  const log = (command: Command) => command.tensors.log_det!;
  return (
    isSmall(a) &&
    a.kernel === b.kernel &&
    a.params.dim === b.params.dim &&
    JSON.stringify(a.constants) === JSON.stringify(b.constants) &&
    (isSame(log(a), log(b)) || a.constants.HAS_LOG_DET === false)
  );
}

const shared = sharedByArrays<Record<'weight' | 'bias' | 'tasks', Data>>();

const joinLayers = (layers: readonly Layer[], nodes: number): Record<'weight' | 'bias' | 'tasks', Data> =>
  shared(
    layers.flatMap(({ weight, bias, tasks, order }) => [weight, bias, tasks, order]),
    () => ({
      weight: joined(layers.map(({ weight }) => weight)),
      bias: joined(layers.map(({ bias }) => bias)),
      tasks: joinTasks(layers, nodes),
    }),
  );

const identities = new Map<number, Uint32Array>();
const identity = (dim: number) => memo(identities, dim, () => Uint32Array.from({ length: dim }, (_, i) => i));

/** Runs of two and more solves, each as long as it goes. */
export function fuseSolves(commands: readonly Command[], users: Users): Fusion[] {
  const fusions: Fusion[] = [];
  const taken = new Set<number>();
  let nextId = Math.max(0, ...users.keys()) + 1;
  for (let end = commands.length - 1; end >= 0; end--) {
    if (taken.has(end) || !isSmall(commands[end]!)) continue;
    const run: { readonly index: number; readonly order: number | null }[] = [];
    for (let index = end; ; ) {
      const link = linkOf(commands, users, index);
      const goesOn = link !== null && alike(commands[link.solve]!, commands[end]!);
      run.unshift({ index, order: goesOn ? link.permutation : null });
      if (!goesOn) break;
      index = link.solve;
    }
    if (run.length < 2) continue;
    const indices = run.flatMap(({ index, order }) => (order === null ? index : [order, index]));
    for (const index of indices) taken.add(index);
    const parts = indices.map((index) => commands[index]!);
    // Nothing else stands between, so nothing can write what they read.
    if (indices.at(-1)! - indices[0]! !== indices.length - 1) continue;
    const last = commands[end]!;
    const [first] = parts as [Command];
    const nodes = Math.max(...run.map(({ index }) => commands[index]!.params.nodes!));
    const layers = run.map(({ index, order }): Layer => {
      const { weight, bias, tasks } = commands[index]!.tensors;
      return {
        weight: dataOf(weight),
        bias: dataOf(bias),
        tasks: dataOf(tasks) as Uint32Array,
        order: order === null ? identity(last.params.dim!) : (dataOf(commands[order]!.tensors.index) as Uint32Array),
      };
    });
    const data = joinLayers(layers, nodes);
    const constant = (name: 'weight' | 'bias' | 'tasks'): ConstantTensor => ({
      ...(last.tensors[name] as ConstantTensor),
      data: data[name],
      whole: null,
    });
    fusions.unshift({
      parts,
      command: {
        ...last,
        label: `${last.label} of ${layers.length} layers`,
        tensors: {
          ...last.tensors,
          source: first.tensors.source!,
          weight: constant('weight'),
          bias: constant('bias'),
          tasks: constant('tasks'),
          state: { ...(last.tensors.state as TiledTensor), id: nextId++, features: 2 * nodes + 1 },
        },
        params: { ...last.params, tasks: data.tasks.length / TASK_WORDS, nodes: 2 * nodes + 1 },
      },
    });
  }
  return fusions;
}
