// The elementwise map that a conditioner parameterises. Affine: z = a x + t, or the other way round.

import { SCALE_NUMBER } from '../kernels/affine.js';

export type ScaleKind = keyof typeof SCALE_NUMBER;

/** Scale from an unconstrained number u; formulas in shaders/lib/affine.wgsl. */
export interface AffineTransformer {
  readonly scale: ScaleKind;
  /** Added to a positive scale. */
  readonly eps?: number;
  /** Added to u before the sigmoid. */
  readonly offset?: number;
  readonly low?: number;
  readonly high?: number;
  /** False: forward is z = a x + t. True: forward is z = (x − t) / a, as in MAF. */
  readonly dividesForward: boolean;
}

/** Parameters of one feature, in this order: shift, and the unconstrained scale unless the transformer only shifts. */
export const parameterCount = (transformer: AffineTransformer): number => (transformer.scale === 'none' ? 1 : 2);

/** Override constants of the kernels that import lib/affine.wgsl. @param forward direction x → z. */
export function transformerConstants(transformer: AffineTransformer, forward: boolean) {
  return {
    SCALE: SCALE_NUMBER[transformer.scale],
    EPS: transformer.eps ?? 0,
    OFFSET: transformer.offset ?? 0,
    LOW: transformer.low ?? 0,
    HIGH: transformer.high ?? 0,
    UNDO: transformer.dividesForward === forward,
  };
}
