import { autoregressiveSolveAffine } from '../kernels/autoregressive-solve-affine.js';
import { UnsupportedError } from '../runtime/errors.js';
import type { Recorder } from '../runtime/recorder.js';
import { NONE, type TiledTensor } from '../runtime/tensor.js';
import { recordAffine, slotTable } from './affine-conditional.js';
import type { Bijector, BijectorCall } from './bijector.js';
import type { Conditioner } from './conditioner.js';
import { identityOrder } from './packing.js';
import { type ParallelPlan, planParallel, recordParallel, recordProjection } from './parallel-plan.js';
import { readiness } from './readiness.js';
import { planSolve, type SolvePlan } from './solve-plan.js';
import { type AffineTransformer, transformerConstants } from './transformer.js';

/**
 * Each feature is scaled and shifted by a network of the features before it. The network reads the data (MAF: density in one
 * parallel pass, sampling feature by feature) or the noise (IAF: the other way round). The sequential direction computes each hidden
 * unit once, so it costs one network pass as well. Papamakarios et al. 2017, arXiv:1705.07057; Kingma et al. 2016, arXiv:1606.04934.
 */
export class AffineAutoregressive implements Bijector {
  readonly name: string;
  readonly dim: number;
  readonly contextDim: number;
  readonly #parallel: ParallelPlan;
  readonly #slot: Uint32Array<ArrayBuffer>;
  readonly #solve: () => SolvePlan;
  readonly #transformer: AffineTransformer;
  readonly #reads: 'x' | 'z';

  /**
   * @param conditioner masked; heads over all D features.
   * @param reads side that feeds the network.
   * @throws UnsupportedError where the masks are not autoregressive.
   */
  constructor(conditioner: Conditioner, transformer: AffineTransformer, reads: 'x' | 'z') {
    const ready = readiness(conditioner);
    this.name = reads === 'x' ? 'masked-autoregressive' : 'inverse-autoregressive';
    if (ready === null) throw new UnsupportedError(this.name, 'a set of masks by which a feature depends on itself, or two on each other,');
    this.dim = conditioner.inputs;
    this.contextDim = conditioner.contextDim;
    this.#transformer = transformer;
    this.#reads = reads;
    this.#parallel = planParallel(conditioner, ready);
    this.#slot = slotTable(this.dim, identityOrder(this.dim), this.#parallel);
    let solve: SolvePlan | null = null; // packed on first use: a flow used in one direction packs its weights once
    this.#solve = () => {
      solve ??= planSolve(conditioner, ready);
      return solve;
    };
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#reads === 'x' ? this.#recordParallel(r, x, call, true) : this.#recordSolve(r, x, call, true);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#reads === 'x' ? this.#recordSolve(r, z, call, false) : this.#recordParallel(r, z, call, false);
  }

  #recordParallel(r: Recorder, value: TiledTensor, { logDet, context }: BijectorCall, forward: boolean): TiledTensor {
    const parameters = recordParallel(r, this.#parallel, value, context);
    return recordAffine(r, value, { parameters, slot: this.#slot, slots: this.dim, transformer: this.#transformer, forward, logDet });
  }

  #recordSolve(r: Recorder, source: TiledTensor, { logDet, context }: BijectorCall, forward: boolean): TiledTensor {
    const plan = this.#solve();
    let side: TiledTensor | null = null;
    if (plan.side.length > 0) {
      side = r.tiled(plan.sideFeatures, 'context terms');
      for (const { packed, at, activation } of plan.side) recordProjection(r, packed, context!, side, at, activation);
    }
    const result = r.tiled(this.dim, forward ? 'z' : 'x');
    r.run(autoregressiveSolveAffine, {
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
      constants: { ...transformerConstants(this.#transformer, forward), HAS_LOG_DET: logDet !== null },
    });
    return result;
  }
}
