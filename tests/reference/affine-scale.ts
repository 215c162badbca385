// Twin of shaders/lib/affine.wgsl.

import { SCALE_NUMBER } from '../../src/kernels/affine.js';
import { sigmoid, softplus } from './math.js';

export interface ScaleConstants {
  readonly SCALE: number;
  readonly EPS: number;
  readonly OFFSET: number;
  readonly LOW: number;
  readonly HIGH: number;
  readonly UNDO: boolean;
}

function logScale({ SCALE, OFFSET, LOW, HIGH }: ScaleConstants, u: number): number {
  switch (SCALE) {
    case SCALE_NUMBER.softclip:
      return u / (1 + Math.abs(u / HIGH));
    case SCALE_NUMBER.tanh:
      return HIGH * Math.tanh(u);
    case SCALE_NUMBER['reciprocal-sigmoid']:
      return softplus(-u - OFFSET);
    case SCALE_NUMBER.clamp: {
      const above = u > HIGH ? HIGH : u;
      return above < LOW ? LOW : above;
    }
    default:
      return u;
  }
}

function positiveScale({ SCALE, EPS, OFFSET, HIGH }: ScaleConstants, u: number): number {
  switch (SCALE) {
    case SCALE_NUMBER.softplus:
      return softplus(u) + EPS;
    case SCALE_NUMBER.sigmoid:
      return sigmoid(u + OFFSET) + EPS;
    default: {
      const a = softplus(u) + EPS;
      return a > HIGH ? HIGH : a;
    }
  }
}

/** y = a x + t, or its inverse with UNDO, and log|dy/dx|. */
export function moveAffine(constants: ScaleConstants, x: number, t: number, u: number): readonly [value: number, logDet: number] {
  const { SCALE, UNDO } = constants;
  if (SCALE === SCALE_NUMBER.none) return [UNDO ? x - t : x + t, 0];
  if (SCALE === SCALE_NUMBER.softplus || SCALE === SCALE_NUMBER.sigmoid || SCALE === SCALE_NUMBER['softplus-clamped']) {
    const a = positiveScale(constants, u);
    return UNDO ? [(x - t) / a, -Math.log(a)] : [x * a + t, Math.log(a)];
  }
  const logA = logScale(constants, u);
  return UNDO ? [(x - t) * Math.exp(-logA), -logA] : [x * Math.exp(logA) + t, logA];
}
