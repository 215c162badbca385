// What the way back does not need: elementwise steps that the product before them takes along, and copies. A dispatch and a tensor less each.

import { activationBackward } from '../kernels/activation-backward.js';
import { linearInput, SLOPES } from '../kernels/linear-input-backward.js';
import { permute } from '../kernels/permute.js';
import { type Command, writtenBy } from '../runtime/program.js';
import type { Tensor, TiledTensor } from '../runtime/tensor.js';

/** Commands that read or write each tensor, in order. */
function usersOf(commands: readonly Command[]): Map<number, Command[]> {
  const users = new Map<number, Command[]>();
  for (const command of commands)
    for (const id of new Set(Object.values(command.tensors).flatMap((tensor) => (tensor.kind === 'tiled' ? [tensor.id] : []))))
      users.set(id, [...(users.get(id) ?? []), command]);
  return users;
}

const isOwn = (tensor: Tensor | undefined): tensor is TiledTensor => tensor?.kind === 'tiled' && tensor.state === undefined;

const writes = (command: Command, { id }: TiledTensor): boolean =>
  writtenBy(command).some((tensor) => tensor.kind === 'tiled' && tensor.id === id);

/** Whether a command copies a tensor as it is: what spreads the gradient of a sum over its only term. */
function isCopy({ kernel, params, tensors: { index } }: Command): boolean {
  return (
    kernel.source === permute.source &&
    params.features === params.source_features &&
    index?.kind === 'constant' &&
    index.data.every((from, f) => from === f)
  );
}

const isRepeat = (one: Command, other: Command): boolean => {
  const [a, b] = [one.tensors, other.tensors] as [Record<string, Tensor>, Record<string, Tensor>];
  if (one.stage !== other.stage || !isOwn(a.x) || !isOwn(b.x) || a.x.id !== b.x.id) return false;
  if (a.index!.kind !== 'constant' || b.index!.kind !== 'constant') return false;
  const [index, again] = [a.index!.data, b.index!.data];
  return index.length === again.length && index.every((from, f) => from === again[f]);
};

/** The commands without copies, and without what an earlier one gave already, of what nothing changes afterwards: the gradient of each layer's log-det is one. */
function withoutCopies(commands: readonly Command[]): readonly Command[] {
  const origins = new Map<number, TiledTensor>();
  const resolved = (command: Command): Command => ({
    ...command,
    tensors: Object.fromEntries(
      Object.entries(command.tensors).map(([name, tensor]) => [name, (tensor.kind === 'tiled' && origins.get(tensor.id)) || tensor]),
    ),
  });
  /** Those whose source and result nothing else writes. */
  const kept: Command[] = [];
  return commands.flatMap((original, at) => {
    const command = resolved(original);
    if (command.kernel.source !== permute.source) return [command];
    const { x, y } = command.tensors;
    const isAlone = isOwn(x) && isOwn(y) && !commands.some((other) => other !== original && writes(other, y));
    if (!isAlone || commands.slice(at).some((other) => writes(other, x))) return [command];
    const given = isCopy(command) ? x : kept.find((earlier) => isRepeat(earlier, command))?.tensors.y;
    if (given) origins.set(y.id, given as TiledTensor);
    else kept.push(command);
    return given ? [] : [command];
  });
}

/** The commands, with slopes of activations in the products whose results they alone read. */
function withSlopes(commands: readonly Command[]): readonly Command[] {
  const users = usersOf(commands);
  /** By what is left out, and by what takes its place. */
  const taken = new Map<Command, Command | null>();
  for (const step of commands) {
    const { ACTIVATION, FROM_VALUE, ADD, HAS_SLOPE, HAS_BETA } = step.constants;
    if (step.kernel.source !== activationBackward.source || !FROM_VALUE || ADD || HAS_SLOPE || HAS_BETA) continue;
    const { d_value: value, source, d_source: y } = step.tensors as Record<string, TiledTensor>;
    const [product, reader, ...others] = users.get(value!.id)!;
    if (reader !== step || others.length > 0 || product!.kernel.source !== linearInput.source || !SLOPES.has(Number(ACTIVATION))) continue;
    const { outputs, y_features, y_at, blocks } = product!.params as Record<string, number>;
    if (product!.stage !== step.stage || blocks !== 1 || y_at !== 0 || y_features !== outputs) continue;
    taken.set(product!, { ...product!, tensors: { ...product!.tensors, source: source!, y: y! }, constants: { ACTIVATION: ACTIVATION! } });
    taken.set(step, null);
  }
  return commands.flatMap((command) => {
    const other = taken.get(command);
    return other === undefined ? [command] : (other ?? []);
  });
}

/** The commands of a step, with fewer of them. */
export const joined = (commands: readonly Command[]): readonly Command[] => withoutCopies(withSlopes(commands));
