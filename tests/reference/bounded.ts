import { SUPPORT_NUMBER } from '../../src/kernels/bounded.js';
import * as source from '../../src/kernels/generated/bounded.js';
import { TILE, tiled } from './layout.js';
import { sigmoid, softplus } from './math.js';
import { defineTwin } from './twin.js';

export interface SupportFeature {
  readonly kind: number;
  readonly low: number;
  readonly high: number;
  readonly k: number;
  readonly logW: number;
  readonly logK: number;
}

export function bound({ kind, low, high, k, logW, logK }: SupportFeature, x: number): readonly [value: number, logDet: number] {
  switch (kind) {
    case SUPPORT_NUMBER.interval: {
      const a = k * x;
      const part = (high - low) * sigmoid(-Math.abs(a));
      return [a > 0 ? high - part : low + part, logW + logK - softplus(a) - softplus(-a)];
    }
    case SUPPORT_NUMBER.tanh:
      return [Math.tanh(x), 2 * (Math.LN2 - Math.abs(x) - softplus(-2 * Math.abs(x)))];
    case SUPPORT_NUMBER.softplus:
      return [low + k * softplus(x), -softplus(-x)];
    case SUPPORT_NUMBER.exp:
      return [low + k * Math.exp(x), x];
    default:
      return [x, Number.isNaN(x) ? x : 0];
  }
}

export function unbound(
  { kind, low, high, k, logW, logK }: SupportFeature,
  y: number,
  eps: number,
): readonly [value: number, logDet: number] {
  switch (kind) {
    case SUPPORT_NUMBER.interval: {
      const w = high - low;
      let [u, v] = [(y - low) / w, (high - y) / w];
      if (u >= 0 && u < eps) [u, v] = [eps, 1 - eps];
      else if (v >= 0 && v < eps) [u, v] = [1 - eps, eps];
      return [(Math.log(u) - Math.log(v)) / k, -logW - logK - Math.log(u) - Math.log(v)];
    }
    case SUPPORT_NUMBER.tanh:
      return [Math.atanh(y), -Math.log1p(y) - Math.log1p(-y)];
    case SUPPORT_NUMBER.softplus: {
      const d = k * (y - low);
      const rest = Math.log(-Math.expm1(-d));
      return [d + rest, -rest];
    }
    case SUPPORT_NUMBER.exp:
      return [Math.log(k * (y - low)), -Math.log(k * (y - low))];
    default:
      return [y, Number.isNaN(y) ? y : 0];
  }
}

/** Column f of a table [6, D]. */
export function supportOf(table: Float64Array, f: number, features: number): SupportFeature {
  const [kind, low, high, k, logW, logK] = Array.from({ length: 6 }, (_, i) => table[i * features + f]!);
  return { kind: kind!, low: low!, high: high!, k: k!, logW: logW!, logK: logK! };
}

export const bounded = defineTwin(source.bounded, ({ buffers: { x, table, y, log_terms }, params, constants, rows }) => {
  const { features, eps } = params;
  for (let f = 0; f < features; f++) {
    const feature = supportOf(table, f, features);
    for (let row = 0; row < rows; row++) {
      const at = tiled(features, row) + f * TILE;
      const [value, logDet] = constants.UNDO ? unbound(feature, x[at]!, eps) : bound(feature, x[at]!);
      y[at] = value;
      if (constants.HAS_LOG_DET) log_terms[at] = logDet;
    }
  }
});
