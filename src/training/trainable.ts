// A program over parameters that lie on the device, in one flat vector: what a gradient by them and an optimiser need.
//
// A bijector packs weights on the host, in an order that suits its kernels, and records them as constants. Nothing about training is known
// there. Where each packed number comes from is found by building the flow a second time, over tensors that hold their own flat
// indices: what the packing did to the indices is the gather table of that constant. Each table is verified bit for bit on the
// flow's own numbers, so a constant that is computed, not copied, is noticed; such a constant names its origin itself.

import type { StoredTensor } from '../format/safetensors.js';
import { NEGATIVE, recordGather } from '../kernels/parameters.js';
import { LimitError, UnsupportedError } from '../runtime/errors.js';
import type { Command } from '../runtime/program.js';
import { Recorder } from '../runtime/recorder.js';
import type { ConstantTensor, ExternalTensor, Origin, TableTensor, Tensor } from '../runtime/tensor.js';
import type { Model } from './model.js';
import { origins } from './rules.js';
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

/** One table of the density that is gathered out of the flat vector. */
export interface Leaf {
  readonly table: TableTensor;
  readonly places: Uint32Array<ArrayBuffer>;
}

export interface Trainable<T> {
  /** What the recording left. */
  readonly ends: T;
  readonly leaves: readonly Leaf[];
  /** The flat vector, [count]. */
  readonly parameters: ExternalTensor;
}

/**
 * Records a program of the model's layers on `r`, unfused, reading parameters from the external `parameters`.
 *
 * @param body records it over given layers; it is called a second time over the layers of the index build, on a recorder of its own.
 * @param statistics of batch norms, if not the model's own.
 * @throws UnsupportedError where a constant is computed from parameters in a way that does not say how.
 */
export function recordTrainable<L, T>(
  r: Recorder,
  model: Model<L>,
  layout: ParameterLayout,
  body: (r: Recorder, layers: L) => T,
  statistics?: StatisticsSource,
): Trainable<T> {
  const density = new Recorder('flow', { differentiable: true });
  const ends = body(density, model.layers);
  const twin = new Recorder('flow', { differentiable: true });
  body(twin, model.assemble(indexTensors(model, layout), true));
  const flat = flatParameters(model, layout);
  const [commands, twins] = [density, twin].map((recorded) => unfused(recorded.commands)) as [readonly Command[], readonly Command[]];
  r.adopt(commands);
  const parameters = r.external('parameters', 0);
  const leaves: Leaf[] = [];
  const tables = new Map<Float32Array | Uint32Array, TableTensor | null>();
  const made = new Map<Origin, Readonly<Record<string, TableTensor>> | null>();
  /** Batch norms met so far. */
  let norms = 0;

  /** The table in the place of a constant, or of a slice of one; the constant itself where no parameter is in it. */
  const inPlaceOf = (constant: ConstantTensor, table: TableTensor | null | undefined): Tensor => {
    const { from = 0, label } = constant;
    return table && from > 0 ? r.part(table, from, table.length - from, label) : (table ?? constant);
  };

  /** Numbers gathered out of the flat vector; the constant itself where no parameter is among them. */
  const gathered = (constant: ConstantTensor, indices: Float32Array, place: string): Tensor => {
    const { data, label } = constant;
    let table = tables.get(data);
    if (table === undefined) {
      table = null;
      if (data instanceof Float32Array && data.some((value, i) => !Object.is(value, indices[i]))) {
        const places = placesOf(data, indices, flat);
        if (!places) throw new UnsupportedError(`${place}: ${label}`, 'the gradient by parameters that are not copied but computed with');
        table = r.once('before', () => recordGather(r, parameters, places, data, label));
        leaves.push({ table, places });
      }
      tables.set(data, table);
    }
    return inPlaceOf(constant, table);
  };

  /** The tables of an origin, made on the device; null where no parameter is among its inputs. */
  const madeFrom = (origin: Origin, twinOrigin: Origin, place: string, x: Tensor | undefined) => {
    let own = made.get(origin);
    if (own === undefined) {
      const { kind, inputs, held = {}, settings } = origin;
      const tensors: Record<string, Tensor> = Object.fromEntries(
        Object.entries(inputs).map(([name, data]) => [name, gathered(r.constant(data, name), twinOrigin.inputs[name]!, place)]),
      );
      const rule = origins.find((known) => known.kind === kind);
      if (!rule) throw new UnsupportedError(place, `the gradient by parameters of ${kind}`);
      const measured =
        statistics !== undefined && kind === 'diagonal' && settings.eps !== undefined && settings.sign === 1 && x !== undefined;
      if (measured) Object.assign(tensors, recordStatistics(r, statistics, norms++, Number(settings.eps), x));
      const record = () => rule.record(r, tensors, settings);
      const learned = Object.values(tensors).some((tensor) => tensor.kind === 'table');
      for (const [name, data] of Object.entries(held)) tensors[name] = r.constant(data, name);
      own = measured && statistics.from === 'rows' ? record() : learned ? r.once('before', record) : null;
      made.set(origin, own);
    }
    return own;
  };

  const tensorFor = (constant: ConstantTensor, other: ConstantTensor, { label, tensors }: Command): Tensor => {
    const { origin } = constant;
    if (!origin) return gathered(constant, other.data as Float32Array, label);
    return inPlaceOf(constant, madeFrom(origin.of, other.origin!.of, label, tensors.x)?.[origin.table]);
  };

  for (const [index, command] of commands.entries()) {
    const other = twins[index];
    if (other?.kernel.source !== command.kernel.source)
      throw new UnsupportedError(command.label, 'training where the commands depend on the parameters');
    for (const [name, value] of Object.entries(command.params))
      if (other.params[name] !== value) throw new UnsupportedError(command.label, `training where ${name} depends on the parameters`);
    const tensors = Object.fromEntries(
      Object.entries(command.tensors).map(([name, tensor]) => [
        name,
        tensor.kind === 'constant' ? tensorFor(tensor, other.tensors[name] as ConstantTensor, command) : tensor,
      ]),
    );
    r.replay({ ...command, tensors });
  }
  return { ends, leaves, parameters };
}
