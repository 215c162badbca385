// What a run minimises, apart from how.

import type { Base } from '../flows/bases/base.js';
import type { Bijector } from '../flows/bijector.js';
import type { Recorder } from '../runtime/recorder.js';
import type { TiledTensor } from '../runtime/tensor.js';

/** Records a term of the loss for each row, [1, rows] in nats, over the layers and the base of a flow. */
export type RecordTerms = (r: Recorder, bijector: Bijector, base: Base, contextDim: number) => TiledTensor;

export interface Objective {
  /** What errors call it. */
  readonly name: string;
  readonly terms: RecordTerms;
  /** The loss is the mean of sign · terms, plus `shift`. */
  readonly sign: 1 | -1;
  readonly shift: number;
  /** Rows after which the steps begin a new round: those of the data set. Null where there is none. */
  readonly period: number | null;
  /** What the programs read, by the names of their externals. */
  readonly data: Readonly<Record<string, Float32Array>>;
  /** Rows that are measured, not trained on, and their terms. */
  readonly heldOut: { readonly rows: number; readonly terms: RecordTerms } | null;
}
