// Runs of recorded commands that one command can take the place of. Programs are recorded in parts, which every adapter runs and reverse mode knows;
// whether a run of them is fused is decided when a program is compiled, as the choice between variants is.

import type { Kernel } from '../runtime/kernel.js';
import { memo } from '../runtime/memo.js';
import { type Command, createProgram, type Program, writtenBy } from '../runtime/program.js';
import type { ConstantTensor, Tensor, TiledTensor } from '../runtime/tensor.js';

export interface Fusion {
  /** In the order in which they were recorded. */
  readonly parts: readonly Command[];
  /** What does the same in one dispatch. */
  readonly command: Command;
  /** Whether it runs where the first part was; by default where the last was. */
  readonly begins?: boolean;
}

/** What a command is called that runs `kernel` in the place of another. */
export const labelOf = ({ label }: Command, { source }: Kernel): string => label.replace(/[^/]*$/, source.name);

/** Indices of the commands that bind a tensor which is no constant. */
export type Users = ReadonlyMap<number, readonly number[]>;

export const isScratch = (tensor: Tensor): tensor is TiledTensor => tensor.kind === 'tiled' && tensor.state === undefined;

export function usersOf(commands: readonly Command[]): Users {
  const users = new Map<number, number[]>();
  for (const [index, { tensors }] of commands.entries())
    for (const id of new Set(Object.values(tensors).flatMap((tensor) => (isScratch(tensor) ? tensor.id : []))))
      users.set(id, [...(users.get(id) ?? []), index]);
  return users;
}

/** The one command that writes a tensor, if nothing but it and `reader` binds that. */
export function soleWriter(users: Users, tensor: Tensor, reader: number): number | null {
  const indices = isScratch(tensor) ? users.get(tensor.id)! : [];
  return indices.length === 2 && indices[1] === reader ? indices[0]! : null;
}

export const constantOf = (data: ConstantTensor['data'], label: string): ConstantTensor => ({
  kind: 'constant',
  data,
  dtype: data instanceof Uint32Array ? 'u32' : 'f32',
  label,
});

export const isConstant = (tensor: Tensor | undefined): tensor is ConstantTensor => tensor?.kind === 'constant' && !tensor.from;

export const isSame = (a: Tensor, b: Tensor): boolean =>
  a === b || (a.kind === 'tiled' && b.kind === 'tiled' && a.id === b.id && a.state === b.state);

/** A linear layer of one block, with a bias and an activation at most. */
export const isPlainLayer = ({ tensors, params, constants, stage }: Command): boolean =>
  stage === undefined &&
  tensors.x?.kind === 'tiled' &&
  params.blocks === 1 &&
  !['GATE', 'ADDEND', 'RAW', 'SCALE'].some((name) => constants[name]);

/** Whether what a layer gives is a whole tensor. */
export const isWholeLayer = ({ params, constants }: Command): boolean =>
  params.y_at === 0 && params.y_features === params.outputs && !constants.ADD;

/** In the place of a tensor that a fusion does not write: one feature, whose id is that of no other. */
export const unusedTensor = ({ id }: TiledTensor, which: 1 | 2 | 3): TiledTensor => ({
  kind: 'tiled',
  id: -(3 * id + which),
  features: 1,
  dtype: 'f32',
  label: 'unused',
});

const binds = ({ tensors }: Command, tensor: Tensor): boolean => Object.values(tensors).some((other) => isSame(other, tensor));

/** Whether neither of two commands writes what the other binds. */
export const mayChangePlaces = (a: Command, b: Command): boolean =>
  !writtenBy(a).some((tensor) => binds(b, tensor)) && !writtenBy(b).some((tensor) => binds(a, tensor));

/** As they were recorded. */
export const inOrder = (commands: readonly Command[], parts: readonly Command[]): Command[] =>
  commands.filter((command) => parts.includes(command));

/** Whether the commands at `indices` may all run where the one at `place` does. */
export const mayRunAt = (commands: readonly Command[], indices: readonly number[], place: number): boolean =>
  indices.every((index) => {
    const [first, last] = [Math.min(index, place), Math.max(index, place)];
    return commands
      .slice(first, last + 1)
      .every((other, at) => [...indices, place].includes(first + at) || mayChangePlaces(other, commands[index]!));
  });

/** What sums the log-det terms of the transformer at `end`: the command behind it, where nothing else reads them; null where that is another. */
export function sumBehind(commands: readonly Command[], users: Users, end: number): Command | null {
  const terms = commands[end]!.tensors.log_terms as TiledTensor;
  const sum = commands[end + 1];
  const sums = sum?.kernel.source.entryPoint === 'row_sum' && sum.stage === undefined && isSame(sum.tensors.terms!, terms);
  return sums && users.get(terms.id)!.length === 2 ? sum : null;
}

/** Finds what `fuseAt` makes of each command, in the order of the program; the same objects for the same program. */
export function finder(fuseAt: (commands: readonly Command[], users: Users, index: number) => Fusion | null) {
  const found = new WeakMap<Program, readonly Fusion[]>();
  return (program: Program): readonly Fusion[] =>
    memo(found, program, () => {
      const users = usersOf(program.commands);
      return program.commands.flatMap((_, index) => fuseAt(program.commands, users, index) ?? []);
    });
}

/** Makes what follows from arrays once for the same ones, so that programs of one flow share what is uploaded. Kept as long as the first of them. */
export function sharedByArrays<V>(): (arrays: readonly object[], make: () => V) => V {
  const kept = new WeakMap<object, { readonly arrays: readonly object[]; readonly value: V }>();
  return (arrays, make) => {
    const known = kept.get(arrays[0]!);
    if (known && known.arrays.length === arrays.length && arrays.every((array, i) => array === known.arrays[i])) return known.value;
    const value = make();
    kept.set(arrays[0]!, { arrays, value });
    return value;
  };
}

/** The program with those runs fused that are accepted; of two that share a part the first. */
export function fuse(program: Program, fusions: readonly Fusion[], accepts: (fusion: Fusion) => boolean): Program {
  const instead = new Map<Command, readonly Command[]>();
  for (const fusion of fusions) {
    const { parts, command, begins } = fusion;
    if (parts.some((part) => instead.has(part)) || !accepts(fusion)) continue;
    for (const part of parts) instead.set(part, part === parts.at(begins ? 0 : -1) ? [command] : []);
  }
  if (instead.size === 0) return program;
  return createProgram(program.commands.flatMap((command) => instead.get(command) ?? [command]));
}
