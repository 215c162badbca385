import { bernoulli } from '../../kernels/bernoulli.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Conditioner } from '../conditioner/conditioner.js';
import { type ParallelPlan, planParallel, recordParallel } from '../conditioner/parallel-plan.js';
import type { Base } from './base.js';

/** Independent bits whose logits are a network of the context. Its density is a mass: a decoder, not what continuous layers end in. */
export class ConditionalBernoulli implements Base {
  readonly dim: number;
  readonly contextDim: number;
  readonly #plan: ParallelPlan;

  /** @param conditioner reads the context alone; one head over all D features. */
  constructor(dim: number, conditioner: Conditioner) {
    this.dim = dim;
    this.contextDim = conditioner.inputs;
    this.#plan = planParallel(conditioner, null);
  }

  sample(r: Recorder, context: TiledTensor | null): TiledTensor {
    const z = r.tiled(this.dim, 'bits');
    r.run(bernoulli.sample, { buffers: { logits: this.#logits(r, context), z }, params: { dim: this.dim, sign: 1 } });
    return z;
  }

  logDensity(r: Recorder, z: TiledTensor, logDet: TiledTensor, sign: 1 | -1, context: TiledTensor | null): TiledTensor {
    const logProb = r.tiled(1, 'log-mass');
    r.run(bernoulli.logMass, {
      buffers: { logits: this.#logits(r, context), source: z, log_det: logDet, log_prob: logProb },
      params: { dim: this.dim, sign },
    });
    return logProb;
  }

  #logits(r: Recorder, context: TiledTensor | null): TiledTensor {
    return recordParallel(r, this.#plan, context!, null);
  }
}
