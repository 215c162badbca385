// Twins of shaders/lib/mixture.wgsl and shaders/mixture.wgsl.

import { PASSES } from '../../src/kernels/affine.js';
import * as source from '../../src/kernels/generated/mixture.js';
import { TILE, tiled } from './layout.js';
import { softplus } from './math.js';
import { millsRatio, normalTail } from './normal.js';
import { defineTwin } from './twin.js';

/** log π, μ and 1 / σ of one feature. */
export interface Components {
  readonly logPi: readonly number[];
  readonly mean: readonly number[];
  readonly inverse: readonly number[];
}

const logSumExp = (values: readonly number[]): number => {
  const top = Math.max(...values); // NaN where one is
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
};

/** Reads `components` logits, means and unconstrained deviations, and stores what they stand for in their place. */
export function normalise(
  { COMPONENTS, EPS }: { readonly COMPONENTS: number; readonly EPS: number },
  parameter: (index: number) => number,
  store: (index: number, value: number) => void,
): Components {
  const read = (kind: number) => Array.from({ length: COMPONENTS }, (_, k) => parameter(kind * COMPONENTS + k));
  const logits = read(0);
  const total = logSumExp(logits);
  const components = {
    logPi: logits.map((logit) => logit - total),
    mean: read(1),
    inverse: read(2).map((value) => 1 / (softplus(value) + EPS)),
  };
  for (let k = 0; k < COMPONENTS; k++) {
    store(k, components.logPi[k]!);
    store(2 * COMPONENTS + k, components.inverse[k]!);
  }
  return components;
}

/** A term e^(log π + square) · factor of a sum; the two parts of the exponent are kept apart, since their differences count. */
interface Term {
  readonly logPi: number;
  readonly square: number;
  readonly factor: number;
}

/** The largest term's exponent, and the sum relative to it. */
function sumOf(terms: readonly Term[]): { readonly top: Term; readonly sum: number } {
  let top = terms[0]!;
  for (const term of terms) if (term.logPi + term.square > top.logPi + top.square) top = term;
  const sum = terms.reduce((total, { logPi, square, factor }) => total + Math.exp(logPi - top.logPi + (square - top.square)) * factor, 0);
  return { top, sum };
}

const INV_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);

/** z = Φ⁻¹(F(x)) and log dz/dx. */
export function mixtureAt({ logPi, mean, inverse }: Components, x: number): readonly [z: number, logSlope: number] {
  const u = mean.map((mu, k) => (x - mu) * inverse[k]!);
  if (!logPi.every((value, k) => Number.isFinite(value + u[k]!))) return [Number.NaN, Number.NaN];
  /** π Φ(sign u): a tail, or all but a tail. */
  const side = (sign: number) =>
    sumOf(
      u.map((value, k) => {
        const square = -0.5 * value * value;
        const tail = millsRatio(Math.abs(value)) * INV_SQRT_2PI;
        if (sign * value < 0) return { logPi: logPi[k]!, square, factor: tail };
        return { logPi: logPi[k]!, square: 0, factor: 1 - Math.exp(square) * tail };
      }),
    );
  const [below, above] = [side(1), side(-1)];
  const logOf = ({ top, sum }: ReturnType<typeof side>) => top.logPi + top.square + Math.log(sum);
  const negative = logOf(below) <= logOf(above);
  const q = negative ? below : above;
  // Near the middle both are close to log ½, and the smaller one is not above it.
  const t = normalTail(Math.min(logOf(q), -Math.LN2));
  const p = sumOf(u.map((value, k) => ({ logPi: logPi[k]!, square: -0.5 * value * value, factor: inverse[k]! })));
  const difference = p.top.logPi - q.top.logPi + (p.top.square - q.top.square);
  return [negative ? -t : t, Math.log((p.sum * INV_SQRT_2PI * millsRatio(t)) / q.sum) + difference];
}

/** x with mixtureAt(x) = z by Newton's method between bounds, to float64, and log dx/dz. */
export function invertMixture(components: Components, z: number): readonly [value: number, logDet: number] {
  const { logPi, mean, inverse } = components;
  const candidates = mean.map((mu, k) => mu + z / inverse[k]!);
  let [low, high] = [Math.min(...candidates), Math.max(...candidates)];
  let x = candidates.reduce((sum, candidate, k) => sum + Math.exp(logPi[k]!) * candidate, 0);
  let [here, logSlope] = mixtureAt(components, x);
  if (Number.isNaN(here)) return [Number.NaN, Number.NaN];
  for (let i = 0, last = high - low; i < 200; i++) {
    const residual = z - here;
    if (residual >= 0) low = x;
    else high = x;
    const step = residual * Math.exp(-logSlope);
    const newton = x + step;
    const next = newton >= low && newton <= high && Math.abs(step) <= 0.5 * last ? newton : low + 0.5 * (high - low);
    last = Math.abs(next - x);
    if (last <= 1e-16 * Math.abs(next) || Math.abs(residual) <= 1e-15 * Math.abs(z)) break;
    x = next;
    [here, logSlope] = mixtureAt(components, x);
  }
  return [x, -logSlope];
}

export const mixture = defineTwin(source.mixture, ({ buffers: { x, state, slot, y, log_terms }, params, constants, rows }) => {
  const { features, slots } = params;
  for (let row = 0; row < rows; row++) {
    for (let f = 0; f < features; f++) {
      const at = tiled(features, row) + f * TILE;
      const j = slot[f]!;
      if (j === PASSES) {
        y[at] = x[at]!;
        continue;
      }
      const place = (index: number) => tiled(3 * constants.COMPONENTS * slots, row) + (index * slots + j) * TILE;
      const components = normalise(
        constants,
        (index) => state[place(index)]!,
        (index, value) => {
          state[place(index)] = value;
        },
      );
      const [value, logDet] = constants.INVERSE ? invertMixture(components, x[at]!) : mixtureAt(components, x[at]!);
      y[at] = value;
      if (constants.HAS_LOG_DET) log_terms[tiled(slots, row) + j * TILE] = logDet;
    }
  }
});
