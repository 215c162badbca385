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
  readonly MIX: number;
  readonly REST: number;
  readonly BACK: boolean;
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

/** v + m (f(v) − v) or its inverse, by e^−|l| so that it does not overflow where the result does not. */
function moveMixed({ UNDO, MIX, REST, BACK }: ScaleConstants, x: number, t: number, logA: number): readonly [number, number] {
  const divides = UNDO !== BACK;
  const l = divides ? -logA : logA;
  const up = l > 0;
  const e = Math.exp(-Math.abs(l));
  const d = up ? MIX + REST * e : REST + MIX * e;
  const high = up ? l : 0;
  const logD = l > -0.7 && l < 20 ? Math.log1p(MIX * Math.expm1(l)) : high + Math.log(d);
  const within = up ? MIX * t : MIX * t * e;
  if (BACK) return [divides ? ((up ? x * e : x) + within) / d : ((x - MIX * t) / d) * Math.exp(-high), -logD];
  return [divides ? (x * d - within) * Math.exp(high) : x * d * Math.exp(high) + MIX * t, logD];
}

/** y = a x + t, or its inverse with UNDO, and log|dy/dx|. */
export function moveAffine(constants: ScaleConstants, x: number, t: number, u: number): readonly [value: number, logDet: number] {
  const { SCALE, UNDO, MIX } = constants;
  if (SCALE === SCALE_NUMBER.none) return [UNDO ? x - MIX * t : x + MIX * t, 0];
  if (SCALE === SCALE_NUMBER.softplus || SCALE === SCALE_NUMBER.sigmoid || SCALE === SCALE_NUMBER['softplus-clamped']) {
    const a = positiveScale(constants, u);
    if (MIX < 1) return moveMixed(constants, x, t, Math.log(a));
    return UNDO ? [(x - t) / a, -Math.log(a)] : [x * a + t, Math.log(a)];
  }
  const logA = logScale(constants, u);
  if (MIX < 1) return moveMixed(constants, x, t, logA);
  return UNDO ? [(x - t) * Math.exp(-logA), -logA] : [x * Math.exp(logA) + t, logA];
}
