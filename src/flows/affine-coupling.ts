import type { Recorder } from '../runtime/recorder.js';
import type { TiledTensor } from '../runtime/tensor.js';
import { recordAffine, slotTable } from './affine-conditional.js';
import type { Bijector, BijectorCall } from './bijector.js';
import type { Conditioner } from './conditioner.js';
import { type ParallelPlan, planParallel, recordParallel } from './parallel-plan.js';
import type { AffineTransformer } from './transformer.js';

/**
 * Some features pass; the others are scaled and shifted by a network of those that pass (NICE, RealNVP), or of the context alone.
 * Both directions cost one network pass. Dinh et al. 2017, arXiv:1605.08803.
 */
export class AffineCoupling implements Bijector {
  readonly name: string;
  readonly dim: number;
  readonly contextDim: number;
  readonly #plan: ParallelPlan;
  readonly #slot: Uint32Array<ArrayBuffer>;
  readonly #transformer: AffineTransformer;
  readonly #readsContext: boolean;

  /**
   * @param conditioner reads all D features, with zero weights for those that are moved; or the context, with `readsContext`.
   * @param features the feature that each slot moves.
   */
  constructor(
    dim: number,
    conditioner: Conditioner,
    transformer: AffineTransformer,
    features: ArrayLike<number>,
    options: { readonly readsContext?: boolean; readonly name?: string } = {},
  ) {
    this.dim = dim;
    this.#readsContext = options.readsContext ?? false;
    this.contextDim = this.#readsContext ? conditioner.inputs : conditioner.contextDim;
    this.name = options.name ?? 'affine-coupling';
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
    return recordAffine(r, value, {
      parameters,
      slot: this.#slot,
      slots: this.#plan.slotOrder.length,
      transformer: this.#transformer,
      forward,
      logDet,
    });
  }
}
