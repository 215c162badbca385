// Linear layers in a row where at most four features go in or come out, in a dispatch each row: forward layers, or products of the way back.

import { joined } from '../kernels/joined.js';
import { THIN, thinNet, WIDE } from '../kernels/thin-net.js';
import { thinNetBackward } from '../kernels/thin-net-backward.js';
import type { Kernel } from '../runtime/kernel.js';
import { memo } from '../runtime/memo.js';
import type { Command, Program } from '../runtime/program.js';
import { NONE, sliced, type Tensor, type TiledTensor } from '../runtime/tensor.js';
import {
  constantOf,
  type Fusion,
  isConstant,
  isPlainLayer,
  isSame,
  isWholeLayer,
  mayRunAt,
  sharedByArrays,
  type Users,
  unusedTensor,
  usersOf,
} from './fusion.js';
import { packedForQuads } from './quad-layers.js';

/** Outputs of the wide layer at most: of more, an invocation has too much to do alone. */
const WIDEST = 128;

/** By the name of what is fused. */
const kernels: Readonly<Record<string, Kernel>> = {
  'masked-linear': thinNet as unknown as Kernel,
  'linear-input-backward': thinNetBackward as unknown as Kernel,
};

const reads = (reader: Command, { tensors, params }: Command): boolean =>
  isSame(reader.tensors.x!, tensors.y!) && reader.params.x_at === 0 && reader.params.inputs === params.outputs;

/** Indices of up to three layers of a kind, each reading what the one before gave, from `first` on; other commands may be between them. */
function rowOf(commands: readonly Command[], users: Users, first: number): number[] {
  const row = [first];
  while (row.length < 3) {
    const last = commands[row.at(-1)!]!;
    const { y } = last.tensors;
    if (y?.kind !== 'tiled' || !isWholeLayer(last)) return row;
    const next = users.get(y.id)?.find((index) => {
      const command = commands[index]!;
      return index > row.at(-1)! && command.kernel.source === last.kernel.source && isPlainLayer(command) && reads(command, last);
    });
    if (next === undefined) return row;
    row.push(next);
  }
  return row;
}

const isThin = (features: number): boolean => features <= THIN;
const isWide = ({ params: { inputs, outputs } }: Command): boolean =>
  inputs! <= WIDE && inputs! > THIN && outputs! > THIN && outputs! <= WIDEST;

/** The thin layer in front, the wide one, the thin one behind; null where there are not two of them. */
function endsOf(row: readonly Command[]): readonly [front: Command | null, wide: Command, back: Command | null] | null {
  const front = isThin(row[0]!.params.inputs!) ? row[0]! : null;
  const [wide, back] = front ? [row[1], row[2]] : [row[0], row[1]];
  const behind = back && isThin(back.params.outputs!) ? back : null;
  return wide && isWide(wide) && isWholeLayer(wide) && (front || behind) ? [front, wide, behind] : null;
}

const shared = sharedByArrays<{ readonly data: Float32Array<ArrayBuffer>; readonly starts: readonly number[] }>();

/** One tensor that holds all of them, and where each begins; null where they are not all constants, nor all of one table. */
function together(tensors: readonly Tensor[]): { readonly weight: Tensor; readonly starts: readonly number[] } | null {
  const [first] = tensors as [Tensor];
  if (first.kind === 'table')
    return tensors.every((tensor) => tensor.kind === 'table' && tensor.id === first.id)
      ? { weight: { ...first, from: 0, length: first.whole }, starts: tensors.map((tensor) => (tensor as typeof first).from) }
      : null;
  if (!tensors.every((tensor) => isConstant(tensor))) return null;
  const arrays = tensors.map(({ data }) => data as Float32Array<ArrayBuffer>);
  const { data, starts } = shared(arrays, () => {
    const begins: number[] = [];
    let length = 0;
    const padded = arrays.map((array) => {
      begins.push(length);
      const whole = new Float32Array(sliced(array.length));
      whole.set(array);
      length += whole.length;
      return whole;
    });
    return { data: joined(padded), starts: begins };
  });
  return { weight: constantOf(data, 'weights'), starts };
}

/** What the layer at `start` and those that read from it fuse to; null where they do not. */
function fuseThinNet(commands: readonly Command[], users: Users, start: number): Fusion | null {
  const first = commands[start]!;
  if (kernels[first.kernel.source.name] === undefined || !isPlainLayer(first)) return null;
  const row = rowOf(commands, users, start);
  const ends = endsOf(row.map((index) => commands[index]!));
  if (!ends) return null;
  const [front, wide, back] = ends;
  const parts = ends.filter((layer) => layer !== null);
  if (!mayRunAt(commands, row.slice(0, parts.length), start)) return null;
  const isBackward = wide.kernel.source.name !== 'masked-linear';
  const bound = parts.flatMap(({ tensors }) => (isBackward ? [tensors.weight!] : [tensors.weight!, tensors.bias!]));
  const { weight } = wide.tensors;
  const packed = !isBackward && isConstant(weight) ? packedForQuads(weight, wide.params.inputs!, wide.params.outputs!) : null;
  const all = together(bound.map((tensor) => (packed && tensor === weight ? packed : tensor)));
  if (!all) return null;
  const startOf = (tensor: Tensor | undefined): number => (tensor ? all.starts[bound.indexOf(tensor)]! / 4 : 0);
  const isReadElsewhere = ({ tensors }: Command): boolean =>
    users.get((tensors.y as TiledTensor).id)!.some((index) => !parts.includes(commands[index]!));
  const keepsFront = front !== null && isReadElsewhere(front);
  const keepsWide = back === null || isReadElsewhere(wide);
  const last = parts.at(-1)!;
  const outer = parts[0]!;
  const target = kernels[wide.kernel.source.name]!;
  return {
    parts,
    begins: true,
    command: {
      label: first.label.replace(/[^/]*$/, target.source.name),
      kernel: target,
      tensors: {
        x: outer.tensors.x!,
        weight: all.weight,
        front: keepsFront ? front.tensors.y! : unusedTensor(wide.tensors.y as TiledTensor, 1),
        wide: keepsWide ? wide.tensors.y! : unusedTensor(wide.tensors.y as TiledTensor, 2),
        y: back ? back.tensors.y! : unusedTensor(wide.tensors.y as TiledTensor, 3),
        ...(isBackward && { front_source: front?.tensors.source ?? NONE, wide_source: wide.tensors.source! }),
      },
      params: {
        inputs: wide.params.inputs!,
        outputs: wide.params.outputs!,
        x_features: outer.params.x_features!,
        x_at: outer.params.x_at!,
        y_features: last.params.y_features!,
        y_at: last.params.y_at!,
        front_weight: startOf(front?.tensors.weight),
        front_bias: startOf(front?.tensors.bias),
        wide_weight: startOf(wide.tensors.weight),
        wide_bias: startOf(wide.tensors.bias),
        back_weight: startOf(back?.tensors.weight),
        back_bias: startOf(back?.tensors.bias),
        front: front?.params.inputs ?? 0,
        back: back?.params.outputs ?? 0,
        features: 0,
        slots: 0,
        read_places: 0,
        left_places: 0,
      },
      constants: {
        KEEP_FRONT: keepsFront,
        KEEP_WIDE: keepsWide,
        FRONT_ACTIVATION: front?.constants.ACTIVATION ?? 0,
        ACTIVATION: wide.constants.ACTIVATION ?? 0,
        ...(isBackward ? { ADD: back?.constants.ADD ?? false } : { PACKED: packed !== null }),
      },
    },
  };
}

const found = new WeakMap<Program, readonly Fusion[]>();

/** In the order of the program; the same objects for the same program. */
export const thinNetsIn = (program: Program): readonly Fusion[] =>
  memo(found, program, () => {
    const { commands } = program;
    const users = usersOf(commands);
    const taken = new Set<Command>();
    return commands.flatMap((command, index) => {
      const fusion = taken.has(command) ? null : fuseThinNet(commands, users, index);
      for (const part of fusion?.parts ?? []) taken.add(part);
      return fusion ?? [];
    });
  });

export const thinNetKernels: readonly Kernel[] = Object.values(kernels);
