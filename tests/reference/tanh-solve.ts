// Twins of shaders/lib/tanh-solve.wgsl, log-ratio.wgsl and row-parameters.wgsl.

import type { TiledTensor } from '../../src/runtime/tensor.js';
import { TILE, tiled } from './layout.js';

/** v with v + c tanh v = p: Newton inside a bracket that is halved where a step leaves it, to the rounding of float64. */
export function solveTanh(c: number, s: number, p: number): number {
  const q = Math.abs(p);
  if (!(q > 0) || !Number.isFinite(q)) return p;
  let [low, high] = c > 0 ? [Math.max(q / s, q - c) * (1 - 1e-12), q] : [q, Math.min(q - c, q / s)];
  let v = c > 0 ? low : high;
  for (let step = 0; step < 200; step++) {
    const f = c > 0 ? c * Math.tanh(v) - q + v : s * v - q - c * tanhRest(v);
    if (f > 0) high = v;
    else low = v;
    const t = Math.tanh(v);
    const newton = v - f / (t * t + s * (1 - t * t));
    const next = newton > low && newton < high && step % 8 !== 7 ? newton : 0.5 * (low + high);
    if (!(Math.abs(next - v) > 2 ** -53 * v)) break;
    v = next;
  }
  return Math.sign(p) * v;
}

/** v − tanh v; the series below 0.1 is exact to 1e-16 relative. */
function tanhRest(v: number): number {
  if (v > 0.1) return v - Math.tanh(v);
  const s = v * v;
  return v * s * (1 / 3 - s * (2 / 15 - s * (17 / 315 - s * (62 / 2835 - s * (1382 / 155925 - s * (21844 / 6081075))))));
}

/** 1 − tanh² v. */
export function tanhSlope(v: number): number {
  const e = Math.exp(-2 * Math.abs(v));
  return (4 * e) / (1 + e) ** 2;
}

export const logOnePlus = (v: number, whole: number): number => (v < -0.5 ? Math.log(whole) : Math.log1p(v));

/** Reads parameter i of a row: from a table with each number four times, or from a network's outputs. */
export const parameterOf =
  (parameters: Float64Array, row: number, perRow: boolean, features: TiledTensor['features']) =>
  (i: number): number =>
    perRow ? parameters[tiled(features, row) + i * TILE]! : parameters[4 * i]!;
