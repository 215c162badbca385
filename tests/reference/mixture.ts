// Twins of shaders/lib/mixture.wgsl and shaders/mixture.wgsl.

import { PASSES } from '../../src/kernels/affine.js';
import * as source from '../../src/kernels/generated/mixture.js';
import { TILE, tiled } from './layout.js';
import { softplus } from './math.js';
import { logTail, millsRatio, normalTail } from './normal.js';
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

/** log Φ(u). */
const logBelow = (u: number): number => (u < 0 ? logTail(-u) : Math.log1p(-Math.exp(logTail(u))));

/** z = Φ⁻¹(F(x)) and log dz/dx. */
export function mixtureAt({ logPi, mean, inverse }: Components, x: number): readonly [z: number, logSlope: number] {
  const u = mean.map((mu, k) => (x - mu) * inverse[k]!);
  const below = logSumExp(u.map((value, k) => logPi[k]! + logBelow(value)));
  const above = logSumExp(u.map((value, k) => logPi[k]! + logBelow(-value)));
  if (Number.isNaN(below)) return [Number.NaN, Number.NaN];
  const negative = below <= above;
  // Near the middle both are close to log ½, and the smaller one is not above it.
  const log = Math.min(negative ? below : above, -Math.LN2);
  const t = normalTail(log);
  // Density and tail without their common factor, which is e to minus a large number far away.
  const exponents = u.map((value, k) => logPi[k]! - 0.5 * value * value);
  const top = Math.max(...exponents);
  const density = exponents.reduce((sum, exponent, k) => sum + Math.exp(exponent - top) * inverse[k]!, 0);
  const logSlope = Math.log(density) + Math.log(millsRatio(t)) + (top - 0.5 * Math.log(2 * Math.PI) - log);
  return [negative ? -t : t, logSlope];
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
