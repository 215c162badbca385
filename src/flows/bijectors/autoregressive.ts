import { UnsupportedError } from '../../runtime/errors.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import type { Conditioner } from '../conditioner/conditioner.js';
import { identityOrder, recordLinear } from '../conditioner/packing.js';
import { type ParallelPlan, planParallel, recordParallel } from '../conditioner/parallel-plan.js';
import { readiness } from '../conditioner/readiness.js';
import { planSolve, type SolvePlan } from '../conditioner/solve-plan.js';
import { slotTable, type Transformer } from '../transformers/transformer.js';

/**
 * Each feature is moved by a transformer whose parameters are a network of the features before it (MAF; autoregressive splines). Forward is one parallel pass; inverse goes feature by
 * feature and computes each hidden unit once, so it costs one network pass as well. `new Inverse(…)` of it is an IAF, whose network reads
 * the noise. Papamakarios et al. 2017, arXiv:1705.07057; Kingma et al. 2016, arXiv:1606.04934.
 */
export class Autoregressive implements Bijector {
  readonly name = 'masked-autoregressive';
  readonly dim: number;
  readonly contextDim: number;
  readonly #parallel: ParallelPlan;
  readonly #slot: Uint32Array<ArrayBuffer>;
  readonly #solve: () => SolvePlan;
  readonly #transformer: Transformer;

  /**
   * @param conditioner masked; heads over all D features.
   * @throws UnsupportedError where the masks are not autoregressive.
   */
  constructor(conditioner: Conditioner, transformer: Transformer) {
    const ready = readiness(conditioner);
    if (ready === null) throw new UnsupportedError(this.name, 'a set of masks by which a feature depends on itself, or two on each other,');
    this.dim = conditioner.inputs;
    this.contextDim = conditioner.contextDim;
    this.#transformer = transformer;
    this.#parallel = planParallel(conditioner, ready);
    this.#slot = slotTable(this.dim, identityOrder(this.dim), this.#parallel);
    let solve: SolvePlan | null = null; // packed on first use: a flow used in one direction packs its weights once
    this.#solve = () => {
      solve ??= planSolve(conditioner, ready);
      return solve;
    };
  }

  forward(r: Recorder, x: TiledTensor, { logDet, context }: BijectorCall): TiledTensor {
    const parameters = recordParallel(r, this.#parallel, x, context);
    return this.#transformer.record(r, x, { parameters, slot: this.#slot, slots: this.dim, forward: true, logDet });
  }

  inverse(r: Recorder, source: TiledTensor, { logDet, context }: BijectorCall): TiledTensor {
    const plan = this.#solve();
    let side: TiledTensor | null = null;
    if (plan.side.length > 0) {
      side = r.tiled(plan.sideFeatures, 'context terms');
      for (const { packed, at, activation } of plan.side)
        recordLinear(r, packed, context!, side, { label: 'context term', activation, yAt: at });
    }
    const result = r.tiled(this.dim, 'x');
    this.#transformer.recordSolve(r, {
      buffers: {
        source,
        weight: r.constant(plan.weight, 'solve weight'),
        bias: r.constant(plan.bias, 'solve bias'),
        tasks: r.constant(plan.tasks, 'solve tasks'),
        side: side ?? NONE,
        state: r.tiled(plan.nodes, 'solve state'),
        result,
        log_det: logDet ?? r.tiled(1, 'unused'),
      },
      params: { tasks: plan.taskCount, nodes: plan.nodes, dim: this.dim, side_features: plan.sideFeatures },
      hasLogDet: logDet !== null,
    });
    return result;
  }
}
