// A program over parameters that lie on the device, in one flat vector: what a gradient by them and an optimiser need.
//
// A bijector packs weights on the host, in an order that suits its kernels, and records them as constants. Nothing about training is known
// there. Where each packed number comes from is found by building the flow a second time, over tensors that hold their own flat
// indices: what the packing did to the indices is the gather table of that constant. Each table is verified bit for bit on the
// flow's own numbers, so a constant that is computed, not copied, is noticed; such a constant names its origin itself.

import type { StoredTensor } from '../format/safetensors.js';
import { updateLength } from '../kernels/optimiser.js';
import { NEGATIVE, recordCopy, recordGather } from '../kernels/parameters.js';
import { LimitError, UnsupportedError } from '../runtime/errors.js';
import type { Command } from '../runtime/program.js';
import { Recorder } from '../runtime/recorder.js';
import { type ConstantTensor, type ExternalTensor, type Origin, sliced, type TableTensor, type Tensor } from '../runtime/tensor.js';
import type { Model } from './model.js';
import { flatOrder, type ParameterOrder, packedOrder, placesIn } from './order.js';
import { attempt, marked, type Recompute, recordInverses, runsAgain, type Segment } from './recompute.js';
import { origins } from './rules.js';
import { solvedMeans } from './solve-parts.js';
import { recordStatistics, type StatisticsSource } from './statistics.js';
import { unfused } from './unfuse.js';

/** Index j stands in a tensor as (1 + j) · 2⁻⁴⁰: exact in float32 up to 2²⁴, and small, so that exponentials and norms of it are harmless. */
const UNIT = 2 ** -40;
const MOST = 2 ** 24 - 1;

/** Where the learned tensors of a model lie in the flat vector, in the order of the file. */
export interface ParameterLayout {
  readonly count: number;
  readonly tensors: readonly { readonly name: string; readonly from: number; readonly length: number; readonly shape: readonly number[] }[];
}

export function layoutOf({ parameterNames, tensors }: Model): ParameterLayout {
  let count = 0;
  const laid = parameterNames.map((name) => {
    const { shape, data } = tensors.get(name)!;
    const from = count;
    count += data.length;
    return { name, from, length: data.length, shape };
  });
  if (count > MOST) throw new LimitError('flow: parameters', `at most ${MOST} to train`, `${count}`);
  return { count, tensors: laid };
}

/** The model's learned numbers, flat. */
export function flatParameters({ tensors }: Model, layout: ParameterLayout): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(layout.count);
  for (const { name, from } of layout.tensors) flat.set(tensors.get(name)!.data as Float32Array, from);
  return flat;
}

/** The model's tensors with each learned number replaced by its index. */
function indexTensors(model: Model, layout: ParameterLayout): Map<string, StoredTensor> {
  const tensors = new Map(model.tensors);
  for (const { name, from, length } of layout.tensors)
    tensors.set(name, { ...tensors.get(name)!, data: Float32Array.from({ length }, (_, i) => (1 + from + i) * UNIT) });
  return tensors;
}

/** Places of the numbers of a constant in the flat vector, from what the index build packed; null where one is no copy of a parameter. */
function placesOf(data: Float32Array, indices: Float32Array, flat: Float32Array): Uint32Array<ArrayBuffer> | null {
  const places = new Uint32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const word = indices[i]!;
    if (Object.is(word, data[i])) continue; // the same in both builds: no parameter
    const index = Math.abs(word) / UNIT;
    if (!Number.isInteger(index) || index < 1 || index > flat.length) return null;
    const value = flat[index - 1]!;
    if (!Object.is(word < 0 ? -value : value, data[i])) return null;
    places[i] = word < 0 ? index + NEGATIVE : index;
  }
  return places;
}

const isBatchNorm = ({ tensors }: Command): boolean =>
  Object.values(tensors).some((tensor) => tensor.kind === 'constant' && tensor.origin?.of.running !== undefined);

/** All packed numbers that hold parameters: parts of one table, which one dispatch gathers out of the flat vector. */
export interface Gathered {
  readonly table: TableTensor;
  /** [length of the table]; see shaders/parameters.wgsl. */
  readonly places: Uint32Array<ArrayBuffer>;
  /** Of the external that the parameters are read from. */
  readonly order: ParameterOrder;
}

export interface Trainable<T> {
  /** What the recording left. */
  readonly ends: T;
  /** Null where no parameter is read. */
  readonly gathered: Gathered | null;
  /** The learned numbers. */
  readonly parameters: ExternalTensor;
  /** Layers whose insides are not kept for the gradient, in the order of the recording; none unless asked for. */
  readonly segments: readonly Segment[];
}

/** Constants laid out one after another, each from a multiple of 64 elements on. */
class Packing {
  readonly #parts: { readonly from: number; readonly data: Float32Array; readonly places: Uint32Array }[] = [];
  #length = 0;

  /** @returns where it lies. */
  add(data: Float32Array, places: Uint32Array): number {
    const from = this.#length;
    this.#parts.push({ from, data, places });
    this.#length += sliced(data.length);
    return from;
  }

  /** Records the gather of all, if they are to be read in another order than this one. */
  record(r: Recorder, parameters: ExternalTensor, wanted: ParameterOrder | 'packed', layout: ParameterLayout): Gathered | null {
    if (this.#length === 0) return null;
    const length = wanted === 'packed' ? updateLength(this.#length) : this.#length;
    const places = new Uint32Array(length);
    const initial = new Float32Array(length);
    for (const part of this.#parts) {
      places.set(part.places, part.from);
      initial.set(part.data, part.from);
    }
    const own = wanted === 'packed' ? packedOrder(places, initial, layout.count) : null;
    if (own) return { table: r.stateTable(parameters.name, length), places, order: own };
    const order = wanted === 'packed' ? flatOrder(layout) : wanted;
    const table = r.once('before', () => recordGather(r, parameters, placesIn(order, places), initial, 'packed parameters'));
    return { table, places, order };
  }
}

export interface TrainableOptions {
  /** Of batch norms, if not the model's own. */
  readonly statistics?: StatisticsSource | undefined;
  /** Whether layers are to be recorded again where their gradient is. Default false. */
  readonly recompute?: Recompute;
  /** How the external holds the parameters; 'packed' as this program reads them, if it reads each but once. Default flat. */
  readonly order?: ParameterOrder | 'packed';
}

/**
 * Records a program of the model's layers on `r`, unfused, reading parameters from the external `parameters`.
 *
 * @param body records it over given layers; it is called a second time over the layers of the index build, on a recorder of its own.
 * @throws UnsupportedError where a constant is computed from parameters in a way that does not say how.
 */
export function recordTrainable<L, T>(
  r: Recorder,
  model: Model<L>,
  layout: ParameterLayout,
  body: (r: Recorder, layers: L) => T,
  { statistics, recompute = false, order: wanted = flatOrder(layout) }: TrainableOptions = {},
): Trainable<T> {
  const recordOver = (layers: L) => {
    const own = new Recorder('flow', { differentiable: true });
    const ends = body(own, recompute ? marked(layers) : layers);
    const { commands: recorded } = own;
    const end = recorded.length;
    const stretches = recordInverses(own, recompute);
    const starts: number[] = [];
    const commands = unfused(own.commands, starts);
    return { ends, commands, stretches, starts, length: starts[end]!, solved: solvedMeans(recorded) };
  };
  const { ends, commands, stretches, starts, length, solved } = recordOver(model.layers);
  const { commands: twins } = recordOver(model.assemble(indexTensors(model, layout), true));
  const flat = flatParameters(model, layout);
  r.adopt(commands);
  const parameters = r.external('parameters', 0);
  const packing = new Packing();
  /** Where a constant lies in the packing; null where it holds no parameter. */
  const found = new Map<Float32Array | Uint32Array, { readonly from: number; readonly length: number } | null>();
  const find = (data: Float32Array | Uint32Array, indices: Float32Array, place: string) => {
    if (found.has(data)) return;
    let at: { from: number; length: number } | null = null;
    if (data instanceof Float32Array && data.some((value, i) => !Object.is(value, indices[i]))) {
      const places = placesOf(data, indices, flat);
      if (!places) throw new UnsupportedError(place, 'the gradient by parameters that are not copied but computed with');
      at = { from: packing.add(data, places), length: data.length };
    }
    found.set(data, at);
  };
  const findIn = ({ data, origin, pieces, label }: ConstantTensor, other: ConstantTensor, place: string): void => {
    if (pieces) for (const [index, { of }] of pieces.entries()) findIn(of, other.pieces![index]!.of, place);
    else if (!origin) find(data, other.data as Float32Array, `${place}: ${label}`);
    else
      for (const [input, values] of Object.entries(origin.of.inputs)) find(values, other.origin!.of.inputs[input]!, `${place}: ${input}`);
  };
  const findAll = (from: number, to: number) => {
    for (let index = from; index < to; index++) {
      const { label, tensors } = commands[index]!;
      for (const [name, tensor] of Object.entries(tensors)) {
        const other = twins[index]?.tensors[name];
        if (tensor.kind !== 'constant' || other?.kind !== 'constant') continue;
        findIn(tensor, other, label);
      }
    }
  };
  findAll(0, length);
  const rebuilding = stretches.map(({ inverse }) => {
    if (!inverse) return null;
    const [from, to] = [starts[inverse.from]!, starts[inverse.to]!];
    // Its numbers may be computed from parameters in a way that no kernel knows.
    return attempt(() => {
      findAll(from, to);
      return { from, to, rebuilt: inverse.y };
    });
  });
  const all = packing.record(r, parameters, wanted, layout);
  const partOf = (data: Float32Array | Uint32Array, label: string): TableTensor | null => {
    const at = found.get(data);
    return at ? r.part(all!.table, at.from, at.length, label) : null;
  };
  const made = new Map<Origin, Readonly<Record<string, TableTensor>> | null>();

  /** The table in the place of a constant, or of a slice of one; the constant itself where no parameter is in it. */
  const inPlaceOf = (constant: ConstantTensor, table: TableTensor | null | undefined): Tensor => {
    const { from = 0, label } = constant;
    return table && from > 0 ? r.part(table, from, table.length - from, label) : (table ?? constant);
  };

  /** The tables of an origin, made on the device; null where no parameter is among its inputs. */
  const madeFrom = (origin: Origin, place: string, x: Tensor | undefined) => {
    let own = made.get(origin);
    if (own === undefined) {
      const { kind, inputs, held = {}, settings, running } = origin;
      const tensors: Record<string, Tensor> = Object.fromEntries(
        Object.entries(inputs).map(([name, data]) => [name, partOf(data, name) ?? r.constant(data, name)]),
      );
      const rule = origins.find((known) => known.kind === kind);
      if (!rule) throw new UnsupportedError(place, `the gradient by parameters of ${kind}`);
      const measured = statistics !== undefined && running !== undefined && x !== undefined && !solved.has(running.mean);
      if (measured) Object.assign(tensors, recordStatistics(r, statistics, { ...origin, running }, x));
      const record = () => rule.record(r, tensors, settings);
      const learned = Object.values(tensors).some((tensor) => tensor.kind === 'table');
      for (const [name, data] of Object.entries(held)) tensors[name] = r.constant(data, name);
      own = measured && statistics.from === 'rows' ? record() : learned ? r.once('before', record) : null;
      made.set(origin, own);
    }
    return own;
  };

  const joinedTables = new Map<ConstantTensor['data'], Tensor>();

  /** One table with the pieces in it, the learned ones and the others; the constant itself where none is learned. */
  const joinedFrom = (constant: ConstantTensor, pieces: NonNullable<ConstantTensor['pieces']>, command: Command): Tensor => {
    const known = joinedTables.get(constant.data);
    if (known) return known;
    const parts = pieces.map(({ from, of }) => ({ from, of, tensor: tensorFor(of, command) }));
    let joined: Tensor = constant;
    if (parts.some(({ tensor }) => tensor.kind === 'table')) {
      const whole = r.table(constant.data.length, constant.label);
      r.once('before', () => {
        for (const { from, of, tensor } of parts) recordCopy(r, tensor, r.part(whole, from, of.data.length, of.label));
      });
      joined = whole;
    }
    joinedTables.set(constant.data, joined);
    return joined;
  };

  const tensorFor = (constant: ConstantTensor, command: Command): Tensor => {
    const { origin, data, pieces } = constant;
    const { label, tensors } = command;
    if (pieces) return joinedFrom(constant, pieces, command);
    return inPlaceOf(constant, origin ? madeFrom(origin.of, label, tensors.x)?.[origin.table] : partOf(data, constant.label));
  };

  const onDevice = (index: number): Command => {
    const command = commands[index]!;
    const other = twins[index];
    if (other?.kernel.source !== command.kernel.source)
      throw new UnsupportedError(command.label, 'training where the commands depend on the parameters');
    for (const [name, value] of Object.entries(command.params))
      if (other.params[name] !== value) throw new UnsupportedError(command.label, `training where ${name} depends on the parameters`);
    const tensors = Object.fromEntries(
      Object.entries(command.tensors).map(([name, tensor]) => [name, tensor.kind === 'constant' ? tensorFor(tensor, command) : tensor]),
    );
    return { ...command, tensors };
  };
  const replayed = Array.from({ length }, (_, index) => {
    const command = onDevice(index);
    r.replay(command);
    return command;
  });
  const segments = stretches.flatMap(({ from, to, x, y }, at): Segment[] => {
    const [first, last] = [starts[from]!, starts[to]!];
    // What the last layer left is still there when the walk back begins.
    if (at === stretches.length - 1) return [];
    const measured = statistics !== undefined && commands.slice(first, last).some(isBatchNorm);
    if (measured || !runsAgain(replayed.slice(first, last))) return [];
    const known = rebuilding[at]!;
    const range = known && Array.from({ length: known.to - known.from }, (_, i) => known.from + i);
    const inverse = range && attempt(() => range.map(onDevice));
    return [{ commands: replayed.slice(first, last), x, y, inverse: inverse && { commands: inverse, rebuilt: known!.rebuilt } }];
  });
  return { ends, gathered: all, parameters, segments };
}
