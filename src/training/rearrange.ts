// Tables with the numbers of others in other places, all in one dispatch: the transposed weights that a backward pass reads.

import { recordGather } from '../kernels/parameters.js';
import type { Recorder } from '../runtime/recorder.js';
import { sliced, type TableTensor, type Tensor } from '../runtime/tensor.js';

interface Target {
  readonly source: TableTensor;
  readonly places: { readonly from: number; readonly places: Uint32Array }[];
  /** Parts that were given out; their table is made when its length is known. */
  readonly parts: { -readonly [K in keyof TableTensor]: TableTensor[K] }[];
  length: number;
}

export class Rearrangements {
  /** By the ids of the tables that are read. */
  readonly #targets = new Map<number, Target>();

  /** @param source a table, or part of one, that is made once for all rows; or a constant. */
  add(r: Recorder, source: Tensor, places: Uint32Array<ArrayBuffer>): Tensor {
    const label = `${source.label}, rearranged`;
    if (source.kind === 'constant') {
      const { data, from = 0 } = source;
      return r.constant(
        Float32Array.from(places, (place) => (place === 0 ? 0 : data[from + place - 1]!)),
        label,
      );
    }
    if (source.kind !== 'table') throw new TypeError(`${r.place}: only a table or a constant can be rearranged`);
    let target = this.#targets.get(source.id);
    if (!target) {
      target = { source, places: [], parts: [], length: 0 };
      this.#targets.set(source.id, target);
    }
    const from = target.length;
    target.places.push({ from, places: source.from === 0 ? places : places.map((place) => (place === 0 ? 0 : place + source.from)) });
    target.length += sliced(places.length);
    const part = { ...r.table(places.length, label), from };
    target.parts.push(part);
    return part;
  }

  /** Records one dispatch for each table that was read. */
  record(r: Recorder): void {
    for (const { source, places: all, parts, length } of this.#targets.values()) {
      const places = new Uint32Array(length);
      for (const { from, places: own } of all) places.set(own, from);
      const whole = { ...source, from: 0, length: source.whole };
      const { id } = r.once('before', () => recordGather(r, whole, places, null, 'rearranged'));
      for (const part of parts) Object.assign(part, { id, whole: length });
    }
    this.#targets.clear();
  }
}
