// Mixture-of-Gaussians transformer: z = Φ⁻¹(F(x)), F the distribution function of a mixture. MADE MoG and MAF MoG.

import { autoregressiveSolveMixture } from '../../kernels/autoregressive-solve-mixture.js';
import { mixture } from '../../kernels/mixture.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { type ElementwiseCall, type SolveCall, type Transformer, withLogTerms } from './transformer.js';

/** Parameters of a feature, in this order: K logits, K means, K numbers s with σ = softplus(s) + eps. */
export class MixtureTransformer implements Transformer {
  readonly parameters: number;
  readonly #constants: { readonly COMPONENTS: number; readonly EPS: number };

  /** @param eps least σ, above 0. */
  constructor(components: number, eps: number) {
    this.parameters = 3 * components;
    this.#constants = { COMPONENTS: components, EPS: eps };
  }

  /** The parameters are normalised in place, so nothing else may read them afterwards. */
  record(r: Recorder, value: TiledTensor, call: ElementwiseCall): TiledTensor {
    const y = r.tiled(value.features, call.forward ? 'z' : 'x');
    const counted = call.logDet !== null;
    withLogTerms(r, call, counted, (terms) =>
      r.run(mixture, {
        buffers: { x: value, state: call.parameters, slot: r.constant(call.slot, 'slot'), y, log_terms: terms },
        params: { features: value.features, slots: call.slots },
        constants: { ...this.#constants, INVERSE: !call.forward, HAS_LOG_DET: counted },
      }),
    );
    return y;
  }

  recordSolve(r: Recorder, { buffers, params, constants }: SolveCall): void {
    r.run(autoregressiveSolveMixture, { buffers, params, constants: { ...this.#constants, ...constants } });
  }
}
