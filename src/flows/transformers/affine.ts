// Affine transformer: z = a x + t, or the other way round.

import { affine, SCALE_NUMBER } from '../../kernels/affine.js';
import { autoregressiveSolveAffine } from '../../kernels/autoregressive-solve-affine.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { type ElementwiseCall, type SolveCall, type Transformer, withLogTerms } from './transformer.js';

export type ScaleKind = keyof typeof SCALE_NUMBER;

/** Scale from an unconstrained number u; formulas in shaders/lib/affine.wgsl. */
export interface AffineSettings {
  readonly scale: ScaleKind;
  /** Added to a positive scale. */
  readonly eps?: number | undefined;
  /** Added to u before the sigmoid. */
  readonly offset?: number;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** False: forward is z = a x + t. True: forward is z = (x − t) / a, as in MAF. */
  readonly dividesForward: boolean;
  /** m in (0, 1]: forward is x + m (f(x) − x), f the map above. Default 1. */
  readonly mix?: number | undefined;
}

/** Override constants of the kernels that import lib/affine.wgsl. @param forward direction x → z. */
function affineConstants(settings: AffineSettings, forward: boolean) {
  const mix = Math.fround(settings.mix ?? 1);
  return {
    MIX: mix,
    REST: 1 - mix,
    BACK: !forward,
    SCALE: SCALE_NUMBER[settings.scale],
    EPS: settings.eps ?? 0,
    OFFSET: settings.offset ?? 0,
    LOW: settings.low ?? 0,
    HIGH: settings.high ?? 0,
    UNDO: settings.dividesForward === forward,
  };
}

/** Parameters of a feature, in this order: shift, and the unconstrained scale unless the transformer only shifts. */
export class AffineTransformer implements Transformer {
  readonly parameters: number;

  constructor(readonly settings: AffineSettings) {
    this.parameters = settings.scale === 'none' ? 1 : 2;
  }

  record(r: Recorder, value: TiledTensor, call: ElementwiseCall): TiledTensor {
    const y = r.tiled(value.features, call.forward ? 'z' : 'x');
    const counted = call.logDet !== null && this.settings.scale !== 'none';
    withLogTerms(r, call, counted, (terms) =>
      r.run(affine, {
        buffers: { x: value, parameters: call.parameters, slot: r.constant(call.slot, 'slot'), y, log_terms: terms },
        params: { features: value.features, slots: call.slots, parameter_features: call.parameters.features },
        constants: { ...affineConstants(this.settings, call.forward), HAS_LOG_DET: counted },
      }),
    );
    return y;
  }

  recordSolve(r: Recorder, { buffers, params, constants }: SolveCall): void {
    r.run(autoregressiveSolveAffine, {
      buffers,
      params,
      constants: { ...affineConstants(this.settings, false), ...constants },
    });
  }
}
