// An affine transformer behind the command that makes its parameters, and the sum of its log-det terms: what a fusion takes along.

import { fill } from '../kernels/fill.js';
import type { Command } from '../runtime/program.js';
import type { Tensor, TiledTensor } from '../runtime/tensor.js';
import { isConstant, sumBehind, type Users } from './fusion.js';

export interface AffineBehind {
  /** The command that sets the log-det to 0, where this one is the first to add to it; the transformer, and the sum. */
  readonly parts: readonly Command[];
  /** Index of the command that makes the parameters. */
  readonly maker: number;
  readonly parameters: TiledTensor;
  readonly tensors: Readonly<Record<'value' | 'moved' | 'total', Tensor>>;
  readonly params: Readonly<Record<'features' | 'slots', number>>;
  /** Constants of the transformer, and whether the parameters are read elsewhere (KEEP). */
  readonly constants: Command['constants'];
  /** Features that it reads and writes, of each slot and then of what passes. */
  readonly places: readonly (readonly [from: number, to: number])[];
}

/** Of affine.wgsl's slots: features that are read and written, of each slot and then of what passes. */
export const movesIn = (slot: Uint32Array, features: number): (readonly [from: number, to: number])[] =>
  Array.from({ length: features }, (_, f) => [slot[f]!, f, slot.length > features ? slot[features + f]! : f] as const)
    // That of what passes is the largest number there is.
    .sort(([a], [b]) => a - b)
    .map(([, from, to]) => [from, to]);

/** The command that sets `total` to 0, where the one at `reader` is the next to use it. */
function clearing(commands: readonly Command[], users: Users, total: Tensor, reader: number): Command[] {
  const [first, next] = users.get((total as TiledTensor).id) ?? [];
  if (next !== reader) return [];
  const { kernel, params, constants, stage } = commands[first!]!;
  return kernel.source === fill.source && params.value === 0 && !constants.ADD && stage === undefined ? [commands[first!]!] : [];
}

/** The transformer at `end` and what belongs to it; null for another command, or where its terms are not summed at once. */
export function affineBehind(commands: readonly Command[], users: Users, end: number): AffineBehind | null {
  const transformer = commands[end]!;
  const { kernel, tensors, params, constants, stage } = transformer;
  if (kernel.source.name !== 'affine' || stage !== undefined || !isConstant(tensors.slot)) return null;
  const parameters = tensors.parameters as TiledTensor;
  const [maker, reader, ...others] = users.get(parameters.id) ?? [];
  if (maker === undefined || reader !== end) return null;
  const counted = constants.HAS_LOG_DET !== false;
  const sum = counted ? sumBehind(commands, users, end) : null;
  if (counted && !sum) return null;
  const total = counted ? sum!.tensors.total! : tensors.log_terms!;
  const zeros = counted ? clearing(commands, users, total, end + 1) : [];
  const features = params.features!;
  const { PLACED: _, ...scale } = constants;
  return {
    parts: [...zeros, transformer, ...(counted ? [sum!] : [])],
    maker,
    parameters,
    tensors: { value: tensors.x!, moved: tensors.y!, total },
    params: { features, slots: params.slots! },
    constants: { ...scale, HAS_LOG_DET: counted, FIRST: zeros.length > 0, KEEP: others.length > 0 },
    places: movesIn(tensors.slot.data as Uint32Array, features),
  };
}
