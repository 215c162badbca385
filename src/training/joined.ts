// What a step does not need: elementwise steps that the product before them takes along, copies, products with one number, and permutations behind affine
// layers, which leave their features where those would. A dispatch and a tensor less each.

import { activationBackward } from '../kernels/activation-backward.js';
import { affine } from '../kernels/affine.js';
import { affineBackward } from '../kernels/affine-backward.js';
import { fill } from '../kernels/fill.js';
import { linearInput, SLOPES } from '../kernels/linear-input-backward.js';
import { multiplyAdd } from '../kernels/multiply-add.js';
import { permute } from '../kernels/permute.js';
import type { Kernel } from '../runtime/kernel.js';
import { type Command, writtenBy } from '../runtime/program.js';
import { type ConstantTensor, NONE, type Tensor, type TiledTensor } from '../runtime/tensor.js';

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

/** The commands, each with what takes its place; without those for which nothing does. */
const replaced = (commands: readonly Command[], taken: ReadonlyMap<Command, Command | null>): readonly Command[] =>
  commands.flatMap((command) => {
    const other = taken.get(command);
    return other === undefined ? [command] : (other ?? []);
  });

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
  return replaced(commands, taken);
}

/** A command that does the same, given tensors that hold one number everywhere. */
function withKnown(command: Command, known: ReadonlyMap<number, number>): Command {
  const numberIn = (tensor: Tensor | undefined): number | undefined => (isOwn(tensor) ? known.get(tensor.id) : undefined);
  const filled = (destination: Tensor, features: number, value: number): Command => ({
    ...command,
    label: command.label.replace(/[^/]*$/, fill.source.name),
    kernel: fill as unknown as Kernel,
    tensors: { destination },
    params: { features, value },
    constants: {},
  });
  const { kernel, tensors, params, constants } = command;
  if (kernel.source === affineBackward.source) {
    const log_gradient = constants.HAS_LOG_DET ? numberIn(tensors.d_log_terms) : undefined;
    if (log_gradient === undefined) return command;
    return {
      ...command,
      tensors: { ...tensors, d_log_terms: NONE },
      params: { ...params, log_gradient },
      constants: { ...constants, HAS_LOG_DET: false },
    };
  }
  if (kernel.source === permute.source) {
    const [value, { index }] = [numberIn(tensors.x), tensors];
    const isGathered = index?.kind === 'constant' && index.data.every((from) => from < params.source_features!);
    return value !== undefined && isGathered ? filled(tensors.y!, params.features!, value) : command;
  }
  if (kernel.source !== multiplyAdd.source) return command;
  const by = constants.HAS_B ? numberIn(tensors.b) : undefined;
  const factor = Math.fround(params.factor! * (by ?? 1));
  const value = numberIn(tensors.a);
  const isWhole = params.y_at === 0 && params.y_features === params.features;
  if (value !== undefined && (by !== undefined || !constants.HAS_B) && isWhole && !constants.ADD)
    return filled(tensors.y!, params.features!, Math.fround(factor * value));
  if (by === undefined) return command;
  return {
    ...command,
    tensors: { ...tensors, b: NONE },
    params: { ...params, b_features: 1, factor },
    constants: { ...constants, HAS_B: false },
  };
}

/** The commands, with what follows from tensors that are filled with one number: the gradient of a mean, and of each layer's log-det. */
function withNumbers(commands: readonly Command[]): readonly Command[] {
  const known = new Map<number, number>();
  const all = commands.map((original) => {
    const command = withKnown(original, known);
    const { destination } = command.tensors;
    if (command.kernel.source !== fill.source || command.constants.ADD || !isOwn(destination)) return command;
    if (commands.filter((other) => writes(other, destination)).length === 1) known.set(destination.id, command.params.value!);
    return command;
  });
  const users = usersOf(all);
  return all.filter(
    ({ kernel, tensors: { destination } }) => kernel.source !== fill.source || !isOwn(destination) || users.get(destination.id)!.length > 1,
  );
}

/** The order of a permutation of features: y[f] = x[order[f]]; null for what is none. */
function orderOf({ kernel, params, tensors: { index, x, y } }: Command): Uint32Array | null {
  const isOne = kernel.source === permute.source && params.features === params.source_features && isOwn(x) && isOwn(y);
  if (!isOne || index?.kind !== 'constant') return null;
  const order = index.data as Uint32Array;
  return new Set(order).size === order.length && order.every((from) => from < order.length) ? order : null;
}

/** A command whose feature f of y, or of d_y, lies at places[f] from now on. */
function placed(command: Command, tensors: Record<string, Tensor>, places: Uint32Array): Command | null {
  const { slot } = command.tensors;
  if (slot?.kind !== 'constant') return null;
  const data = Uint32Array.from([...slot.data, ...places]);
  const table: ConstantTensor = { kind: 'constant', data, dtype: 'u32', label: 'slots and places' };
  return { ...command, tensors: { ...command.tensors, ...tensors, slot: table }, constants: { ...command.constants, PLACED: true } };
}

/** The commands, with affine layers that write where a permutation of their result would, and read the gradient where it lies. */
function withPlaces(commands: readonly Command[]): readonly Command[] {
  const users = usersOf(commands);
  const taken = new Map<Command, Command | null>();
  for (const [at, permutation] of commands.entries()) {
    const order = orderOf(permutation);
    if (!order) continue;
    const { x, y } = permutation.tensors as { x: TiledTensor; y: TiledTensor };
    const [layer, reader, ...others] = users.get(x.id)!;
    // Forward: the layer, and the permutation as its only reader; nothing else writes what that gives.
    if (layer!.kernel.source === affine.source && layer!.tensors.y === x && reader === permutation && others.length === 0) {
      if (layer!.stage !== permutation.stage || users.get(y.id)!.some((user) => user !== permutation && writes(user, y))) continue;
      const other = placed(
        layer!,
        { y },
        Uint32Array.from(order, (_, f) => order.indexOf(f)),
      );
      if (!other) continue;
      taken.set(layer!, other);
      taken.set(permutation, null);
      continue;
    }
    // On the way back: the permutation, and the layer's gradient as the only reader of what it gives.
    const [writer, back, ...more] = users.get(y.id)!;
    if (writer !== permutation || back?.kernel.source !== affineBackward.source || back.tensors.d_y !== y || more.length > 0) continue;
    if (back.stage !== permutation.stage || commands.slice(at + 1, commands.indexOf(back)).some((command) => writes(command, x))) continue;
    const other = placed(back, { d_y: x }, order);
    if (!other) continue;
    taken.set(back, other);
    taken.set(permutation, null);
  }
  return replaced(commands, taken);
}

/** The commands of a step, with fewer of them. */
export const joined = (commands: readonly Command[]): readonly Command[] => withPlaces(withNumbers(withoutCopies(withSlopes(commands))));
