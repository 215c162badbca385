// What a run minimises, apart from how.

import type { Recorder } from '../runtime/recorder.js';
import type { TiledTensor } from '../runtime/tensor.js';

/** Records a term of the loss for each row, [1, rows] in nats, over the layers of a model. */
export type RecordTerms<L> = (r: Recorder, layers: L) => TiledTensor;

export interface Objective<L> {
  /** What errors call it. */
  readonly name: string;
  readonly terms: RecordTerms<L>;
  /** The loss is the mean of sign · terms, plus `shift`. */
  readonly sign: 1 | -1;
  readonly shift: number;
  /** Rows after which the steps begin a new round: those of the data set. Null where there is none. */
  readonly period: number | null;
  /** What the programs read, by the names of their externals. */
  readonly data: Readonly<Record<string, Float32Array>>;
  /** Where the terms turn infinite or NaN at the model's present numbers, as a sentence's end; null where nothing does. */
  readonly locate?: () => Promise<string | null>;
  /** Rows that are measured, not trained on, and their terms. */
  readonly heldOut: { readonly rows: number; readonly terms: RecordTerms<L> } | null;
}
