import type { Conditioner } from '../conditioner/conditioner.js';
import { planParallel, recordParallel } from '../conditioner/parallel-plan.js';
import { slotTable, type Transformer } from '../transformers/transformer.js';
import { ConditionedMap } from './conditioned-map.js';

/**
 * Some features pass; the others are moved by a transformer whose parameters are a network of those that pass (NICE, RealNVP, spline
 * couplings), or of the context alone.
 * Both directions cost one network pass. Dinh et al. 2017, arXiv:1605.08803.
 */
export class Coupling extends ConditionedMap {
  /**
   * @param conditioner reads all D features, with zero weights for those that are moved; or the context, with `readsContext`.
   * @param features the feature that each slot moves.
   */
  constructor(
    dim: number,
    conditioner: Conditioner,
    transformer: Transformer,
    features: ArrayLike<number>,
    { readsContext = false, name = 'coupling' }: { readonly readsContext?: boolean; readonly name?: string } = {},
  ) {
    const plan = planParallel(conditioner, null);
    const slots = { slot: slotTable(dim, features, plan), slots: plan.slotOrder.length };
    super(name, dim, readsContext ? conditioner.inputs : conditioner.contextDim, transformer, slots, (r, value, context) =>
      recordParallel(r, plan, readsContext ? context! : value, context),
    );
  }
}
