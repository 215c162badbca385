import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import type { Conditioner } from '../conditioner/conditioner.js';
import { type ParallelPlan, planParallel, recordParallel } from '../conditioner/parallel-plan.js';
import { slotTable, type Transformer } from '../transformers/transformer.js';

/**
 * Some features pass; the others are moved by a transformer whose parameters are a network of those that pass (NICE, RealNVP, spline
 * couplings), or of the context alone.
 * Both directions cost one network pass. Dinh et al. 2017, arXiv:1605.08803.
 */
export class Coupling implements Bijector {
  readonly name: string;
  readonly dim: number;
  readonly contextDim: number;
  readonly #plan: ParallelPlan;
  readonly #slot: Uint32Array<ArrayBuffer>;
  readonly #transformer: Transformer;
  readonly #readsContext: boolean;

  /**
   * @param conditioner reads all D features, with zero weights for those that are moved; or the context, with `readsContext`.
   * @param features the feature that each slot moves.
   */
  constructor(
    dim: number,
    conditioner: Conditioner,
    transformer: Transformer,
    features: ArrayLike<number>,
    options: { readonly readsContext?: boolean; readonly name?: string } = {},
  ) {
    this.dim = dim;
    this.#readsContext = options.readsContext ?? false;
    this.contextDim = this.#readsContext ? conditioner.inputs : conditioner.contextDim;
    this.name = options.name ?? 'coupling';
    this.#transformer = transformer;
    this.#plan = planParallel(conditioner, null);
    this.#slot = slotTable(dim, features, this.#plan);
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, x, call, true);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, z, call, false);
  }

  #record(r: Recorder, value: TiledTensor, { logDet, context }: BijectorCall, forward: boolean): TiledTensor {
    const parameters = recordParallel(r, this.#plan, this.#readsContext ? context! : value, context);
    return this.#transformer.record(r, value, { parameters, slot: this.#slot, slots: this.#plan.slotOrder.length, forward, logDet });
  }
}
