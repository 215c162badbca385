// Where a layer's parameters come from: the same for all rows, or a network of the context, one set a row (shaders/lib/row-parameters.wgsl).

import type { Recorder } from '../../runtime/recorder.js';
import type { Tensor, TiledTensor } from '../../runtime/tensor.js';
import type { Conditioner } from '../conditioner/conditioner.js';
import { type ParallelPlan, planParallel, recordParallel } from '../conditioner/parallel-plan.js';

/** Each number four times: a kernel reads a table as it reads four rows of a network's outputs. */
export const splat = (values: ArrayLike<number>): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: 4 * values.length }, (_, i) => values[i >> 2]!);

/** A float64 number as the nearest float32 and what that leaves. */
export const twoParts = (value: number): [number, number] => [Math.fround(value), value - Math.fround(value)];

export type ParameterSource =
  | { readonly table: Float32Array<ArrayBuffer> }
  /** Reads the context; its one head lists the parameters in the kernel's order. */
  | { readonly conditioner: Conditioner };

export class RowParameters {
  readonly contextDim: number;
  readonly perRow: boolean;
  readonly #table: Float32Array<ArrayBuffer>;
  readonly #plan: ParallelPlan | null;

  constructor(source: ParameterSource) {
    const conditioner = 'conditioner' in source ? source.conditioner : null;
    this.perRow = conditioner !== null;
    this.contextDim = conditioner?.inputs ?? 0;
    this.#table = 'table' in source ? source.table : new Float32Array(4);
    this.#plan = conditioner && planParallel(conditioner, null);
  }

  /** The tensor to bind, and its features. */
  record(r: Recorder, context: TiledTensor | null): { parameters: Tensor; parameterFeatures: number } {
    if (!this.#plan) return { parameters: r.constant(this.#table, 'parameters'), parameterFeatures: 1 };
    return { parameters: recordParallel(r, this.#plan, context!, null), parameterFeatures: this.#plan.parameterFeatures };
  }
}
