// Couplings whose conditioners read only what passes. A layer packs all features of its input, with columns of zeros for those that its coupling moves; here
// the layer in front, where it is an affine one, leaves its features so that those with other columns lie side by side, and the first layer reads these.

import { STRIP } from '../kernels/linear-strips.js';
import { ceilDiv } from '../runtime/kernel.js';
import { memo } from '../runtime/memo.js';
import { type Command, createProgram, type Program } from '../runtime/program.js';
import type { ConstantTensor, Tensor, TiledTensor } from '../runtime/tensor.js';
import { constantOf, isConstant, isScratch, usersOf } from './fusion.js';

/** Inputs that are worth it: what the kernels on SwiftShader take at a time. */
const LEAST = 8;

type Floats = Float32Array<ArrayBuffer>;
type Words = Uint32Array<ArrayBuffer>;

/** A layer whose weights no training changes. */
const isLayer = ({ kernel, tensors, params, stage }: Command): boolean =>
  kernel.source.name === 'masked-linear' &&
  stage === undefined &&
  params.blocks === 1 &&
  isScratch(tensors.x!) &&
  isConstant(tensors.weight) &&
  isConstant(tensors.ranges);

interface Narrowed {
  /** Inputs, in order, that some output reads. */
  readonly columns: readonly number[];
  readonly weight: Floats;
  readonly ranges: Words;
}

const narrowed = new WeakMap<object, Narrowed>();

/** What is left of a layer without its columns of zeros. */
function narrow({ tensors, params: { inputs, outputs } }: Command): Narrowed {
  const weight = (tensors.weight as ConstantTensor).data as Floats;
  return memo(narrowed, weight, () => {
    const ranges = (tensors.ranges as ConstantTensor).data;
    const strips = ceilDiv(outputs!, STRIP);
    const at = (strip: number, k: number) => (strip * inputs! + k) * STRIP;
    const isRead = (k: number) =>
      Array.from({ length: strips }, (_, strip) => strip).some(
        (strip) =>
          ranges[2 * strip]! <= k &&
          k < ranges[2 * strip + 1]! &&
          weight.subarray(at(strip, k), at(strip, k) + STRIP).some((value) => value !== 0),
      );
    const columns = Array.from({ length: inputs! }, (_, k) => k).filter(isRead);
    const packed = new Float32Array(Math.max(1, strips * columns.length * STRIP));
    for (let strip = 0; strip < strips; strip++)
      for (const [i, k] of columns.entries())
        packed.set(weight.subarray(at(strip, k), at(strip, k) + STRIP), (strip * columns.length + i) * STRIP);
    // Runs of what is left: as many columns as lie in front of where one began, and of where it ended.
    const left = Uint32Array.from(ranges.subarray(0, 2 * strips), (k) => columns.filter((column) => column < k).length);
    return { columns, weight: packed, ranges: left };
  });
}

/** A layer that reads its columns side by side, from feature `from` on. */
function reading(layer: Command, { columns, weight, ranges }: Narrowed, from: number): Command {
  const { tensors, params } = layer;
  return {
    ...layer,
    tensors: { ...tensors, weight: constantOf(weight, 'weight'), ranges: constantOf(ranges, 'ranges') },
    params: { ...params, inputs: columns.length, x_at: from },
  };
}

/** Where each feature lies, with those of `first` side by side in front. */
function placesOf(first: readonly number[], features: number): Words {
  const chosen = new Set(first);
  const order = [...first, ...Array.from({ length: features }, (_, f) => f).filter((f) => !chosen.has(f))];
  const places = new Uint32Array(features);
  for (const [place, f] of order.entries()) places[f] = place;
  return places;
}

const isTransformer = ({ kernel, tensors, stage }: Command): boolean =>
  kernel.source.name === 'affine' && stage === undefined && isConstant(tensors.slot);

/** An affine layer whose x lies as `from` says, and whose y as `to` does. */
function placed(layer: Command, from: Words | undefined, to: Words | undefined): Command {
  if (!from && !to) return layer;
  const { tensors, params, constants } = layer;
  const features = params.features!;
  const slot = (tensors.slot as ConstantTensor).data as Words;
  const data = new Uint32Array(2 * features);
  for (let f = 0; f < features; f++) {
    const [at, goes] = [from?.[f] ?? f, constants.PLACED ? slot[features + f]! : f];
    data[at] = slot[f]!;
    data[features + at] = to?.[goes] ?? goes;
  }
  return { ...layer, tensors: { ...tensors, slot: constantOf(data, 'slots and places') }, constants: { ...constants, PLACED: true } };
}

/** A program whose couplings read no columns of zeros, as far as that costs nothing; itself where there are none. */
export function arranged(program: Program): Program {
  const { commands } = program;
  const users = usersOf(commands);
  const layers = new Map<Command, Command>();
  const places = new Map<number, Words>();
  for (const layer of commands) {
    if (!isLayer(layer)) continue;
    const x = layer.tensors.x as TiledTensor;
    const { inputs, x_at: from } = layer.params as { inputs: number; x_at: number };
    const left = narrow(layer);
    const { columns } = left;
    if (columns.length === 0 || columns.length > inputs - LEAST) continue;
    const [writer, ...readers] = users.get(x.id)!.map((index) => commands[index]!);
    const others = readers.filter((reader) => reader !== layer);
    const mayPlace =
      isTransformer(writer!) &&
      writer!.tensors.y === x &&
      Object.entries(layer.tensors).every(([name, tensor]) => name === 'x' || tensor !== x) &&
      others.every(
        (reader) => isTransformer(reader) && reader.tensors.x === x && reader.tensors.parameters !== x && reader.tensors.y !== x,
      );
    if (mayPlace) {
      places.set(
        x.id,
        placesOf(
          columns.map((k) => from + k),
          x.features,
        ),
      );
      layers.set(layer, reading(layer, left, 0));
    } else if (columns.at(-1)! - columns[0]! + 1 === columns.length) layers.set(layer, reading(layer, left, from + columns[0]!));
  }
  if (layers.size === 0) return program;
  const placeOf = (tensor: Tensor | undefined): Words | undefined => (tensor && isScratch(tensor) ? places.get(tensor.id) : undefined);
  return createProgram(
    commands.map((command) => {
      const layer = layers.get(command);
      if (layer) return layer;
      return isTransformer(command) ? placed(command, placeOf(command.tensors.x), placeOf(command.tensors.y)) : command;
    }),
  );
}
