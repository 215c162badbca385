// The last layer of a conditioner, the affine transformer that it parameterises, and the sum of its log-det terms, as one command.

import { fill } from '../kernels/fill.js';
import { linearAffine } from '../kernels/linear-affine.js';
import { OUTPUTS } from '../kernels/linear-strips.js';
import type { Kernel } from '../runtime/kernel.js';
import { memo } from '../runtime/memo.js';
import type { Command, Program } from '../runtime/program.js';
import type { Tensor, TiledTensor } from '../runtime/tensor.js';
import {
  type Fusion,
  isConstant,
  isPlainLayer,
  isSame,
  isWholeLayer,
  mayChangePlaces,
  sharedByArrays,
  type Users,
  unusedTensor,
  usersOf,
} from './fusion.js';

export const linearAffineKernel = linearAffine as unknown as Kernel;

const shared = sharedByArrays<Uint32Array<ArrayBuffer>>();

/** Ranges, then for each slot, and for each feature that passes, where it comes from and where it goes. @param slot of affine.wgsl. */
function tableOf(ranges: Uint32Array, slot: Uint32Array, features: number): Uint32Array<ArrayBuffer> {
  return shared([ranges, slot], () => {
    const places = Array.from({ length: features }, (_, f) => [slot[f]!, f, slot.length > features ? slot[features + f]! : f] as const);
    const inOrder = places.sort(([a], [b]) => a - b); // PASSES is the largest
    return Uint32Array.from([...ranges, ...inOrder.flatMap(([, from, to]) => [from, to])]);
  });
}

/** The command that sets `total` to 0, where the one at `reader` is the next to use it; null where it is not. */
function clearing(commands: readonly Command[], users: Users, total: Tensor, reader: number): Command | null {
  const [first, next] = users.get((total as TiledTensor).id) ?? [];
  if (next !== reader) return null;
  const { kernel, params, constants, stage } = commands[first!]!;
  return kernel.source === fill.source && params.value === 0 && !constants.ADD && stage === undefined ? commands[first!]! : null;
}

/** What the transformer at `end`, the layer in front and the sum behind fuse to; null where they do not. */
function fuseLinearAffine(commands: readonly Command[], users: Users, end: number): Fusion | null {
  const transformer = commands[end]!;
  const { kernel, tensors, params, constants, stage, label } = transformer;
  if (kernel.source.name !== 'affine' || stage !== undefined || !isConstant(tensors.slot)) return null;
  const parameters = tensors.parameters as TiledTensor;
  const [index, reader, ...others] = users.get(parameters.id) ?? [];
  const layer = commands[index!]!;
  if (reader !== end || !isPlainLayer(layer) || layer.kernel.source.name !== 'masked-linear') return null;
  if (!isWholeLayer(layer) || !isSame(layer.tensors.y!, parameters) || layer.constants.ACTIVATION || !isConstant(layer.tensors.ranges))
    return null;
  if (layer.params.outputs! > OUTPUTS || layer.params.outputs !== params.parameter_features) return null;
  const sum = commands[end + 1];
  const counted = constants.HAS_LOG_DET !== false;
  if (counted) {
    const sums = sum?.kernel.source.entryPoint === 'row_sum' && sum.stage === undefined && isSame(sum.tensors.terms!, tensors.log_terms!);
    if (!sums || users.get((tensors.log_terms as TiledTensor).id)!.length !== 2) return null;
  }
  const zeros = counted ? clearing(commands, users, sum!.tensors.total!, end + 1) : null;
  if (commands.slice(index! + 1, end).some((between) => !mayChangePlaces(layer, between))) return null;
  const data = tableOf(layer.tensors.ranges.data as Uint32Array, tensors.slot.data as Uint32Array, params.features!);
  const keeps = others.length > 0;
  const { PLACED: _, ...scale } = constants;
  return {
    parts: [...(zeros ? [zeros] : []), layer, transformer, ...(counted ? [sum!] : [])],
    command: {
      label: label.replace(/[^/]*$/, linearAffine.source.name),
      kernel: linearAffineKernel,
      tensors: {
        x: layer.tensors.x!,
        weight: layer.tensors.weight!,
        bias: layer.tensors.bias!,
        ranges: { kind: 'constant', data, dtype: 'u32', label: 'ranges and places' },
        value: tensors.x!,
        y: tensors.y!,
        total: counted ? sum!.tensors.total! : tensors.log_terms!,
        p: keeps ? parameters : unusedTensor(parameters, 1),
      },
      params: {
        inputs: layer.params.inputs!,
        outputs: layer.params.outputs!,
        x_features: layer.params.x_features!,
        x_at: layer.params.x_at!,
        y_features: keeps ? layer.params.y_features! : 1,
        y_at: 0,
        features: params.features!,
        slots: params.slots!,
      },
      constants: { ...scale, HAS_LOG_DET: counted, FIRST: zeros !== null, KEEP: keeps },
    },
  };
}

const found = new WeakMap<Program, readonly Fusion[]>();

/** In the order of the program; the same objects for the same program. */
export const linearAffinesIn = (program: Program): readonly Fusion[] =>
  memo(found, program, () => {
    const users = usersOf(program.commands);
    return program.commands.flatMap((_, index) => fuseLinearAffine(program.commands, users, index) ?? []);
  });
