// Where a layer's parameters come from: the same for all rows, or a network of the context, one set a row (shaders/lib/row-parameters.wgsl).

import type { Recorder } from '../../runtime/recorder.js';
import type { Tensor, TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import type { Conditioner } from '../conditioner/conditioner.js';
import { type ParallelPlan, planParallel, recordParallel } from '../conditioner/parallel-plan.js';

/** Each number four times: a kernel reads a table as it reads four rows of a network's outputs. */
export const splat = (values: ArrayLike<number>): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: 4 * values.length }, (_, i) => values[i >> 2]!);

/** A float64 number as the nearest float32 and what that leaves. */
export const twoParts = (value: number): [number, number] => [Math.fround(value), value - Math.fround(value)];

export type ParameterSource =
  /** What the kernel reads for all rows, and the parameters as a network would give them: gradients are found through these. */
  | { readonly table: Float32Array<ArrayBuffer>; readonly raw: Float32Array }
  /** Reads the context; its one head lists the parameters in the kernel's order. */
  | { readonly conditioner: Conditioner };

/** What every kernel of such a layer is given. */
interface RowCall {
  readonly buffers: { readonly parameters: Tensor; readonly log_det: TiledTensor };
  readonly params: { readonly parameter_features: number };
  readonly constants: { readonly PER_ROW: boolean; readonly UNDO: boolean; readonly HAS_LOG_DET: boolean };
  /** Label of the result. */
  readonly result: 'x' | 'z';
}

/** A layer with such parameters, one recording for both directions: z ↦ x is the formula, x ↦ z undoes it. */
export class RowLayer implements Bijector {
  readonly contextDim: number;
  readonly #table: Float32Array<ArrayBuffer>;
  readonly #plan: ParallelPlan | null;
  readonly #raw: Float32Array | null;
  readonly #record: (r: Recorder, value: TiledTensor, call: RowCall) => TiledTensor;

  constructor(
    readonly name: string,
    readonly dim: number,
    source: ParameterSource,
    record: (r: Recorder, value: TiledTensor, call: RowCall) => TiledTensor,
  ) {
    const conditioner = 'conditioner' in source ? source.conditioner : null;
    this.contextDim = conditioner?.inputs ?? 0;
    this.#table = 'table' in source ? source.table : new Float32Array(4);
    this.#plan = conditioner && planParallel(conditioner, null);
    this.#raw = 'raw' in source ? source.raw : null;
    this.#record = record;
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#run(r, x, call, true);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#run(r, z, call, false);
  }

  #run(r: Recorder, value: TiledTensor, { logDet, context }: BijectorCall, undo: boolean): TiledTensor {
    const plan = this.#plan;
    const parameters = plan ? recordParallel(r, plan, context!, null) : { ...r.constant(this.#table, 'parameters'), parts: this.#raw };
    return this.#record(r, value, {
      buffers: { parameters, log_det: logDet ?? r.tiled(1, 'unused') },
      params: { parameter_features: plan?.parameterFeatures ?? 1 },
      constants: { PER_ROW: plan !== null, UNDO: undo, HAS_LOG_DET: logDet !== null },
      result: undo ? 'z' : 'x',
    });
  }
}
