import { Logit } from '../bijectors/logit.js';
import { rescaleLayer } from '../build/bounded.js';
import { check, checkInteger, checkIntegers, checkRows } from '../checks.js';
import { type Flow, ownFlow } from '../flow.js';

export interface StandardisedOptions {
  /** The data are integers k in 0 … levels − 1, and the flow one of (k + u) / levels with u uniform in (0, 1), as `fit` with `levels` trains it. */
  readonly levels?: number;
  /** The data lie in the unit cube, where `levels` puts them too, and a logit of this margin, 0 to below 1/2, comes before the statistics. */
  readonly alpha?: number;
}

/** Points of a cell at which its statistics are taken. At the ends of a logit without a margin the deviation comes out 9% small. */
const POINTS = 16;

/** Points whose statistics are wanted, and how often each occurs. */
type Points = readonly { readonly value: number; readonly weight: number }[];

/** A feature of the data, by level where they are integers. */
function pointsOf(data: Float32Array, feature: number, dim: number, levels: number | undefined): Points {
  const rows = data.length / dim;
  if (levels === undefined) return Array.from({ length: rows }, (_, row) => ({ value: data[row * dim + feature]!, weight: 1 }));
  const counts = new Map<number, number>();
  for (let at = feature; at < data.length; at += dim) counts.set(data[at]!, (counts.get(data[at]!) ?? 0) + 1);
  return [...counts].flatMap(([k, weight]) =>
    Array.from({ length: POINTS }, (_, i) => ({ value: (k + (i + 0.5) / POINTS) / levels, weight: weight / POINTS })),
  );
}

/**
 * A flow for data as they come: `flow` behind (x − mean) / deviation, feature by feature, with the statistics of `data` [n, D] row-major.
 * Densities are those of the data in their own units: the log-det holds −Σ log deviation. The statistics are fixed, saved and loaded with
 * the flow, and no parameters. The old flow stays usable, and each is disposed on its own.
 *
 * ```ts
 * const flow = standardised(await maf(gpu, { dim: 3 }), table);
 * await fit(flow, table);
 * const images = standardised(await maf(gpu, { dim: 64 }), digits, { levels: 17, alpha: 0.05 });
 * await fit(images, digits, { levels: 17 });
 * ```
 *
 * @throws ShapeError for data of another width; ValueError for numbers that are not finite, not integers below `levels` or outside the unit cube where the
 *   options say so, or a feature that is the same in every row.
 */
export function standardised(flow: Flow, data: Float32Array, { levels, alpha }: StandardisedOptions = {}): Flow {
  const own = ownFlow('standardised: flow', flow);
  const { dim } = flow;
  const rows = checkRows('standardised: data', data, dim);
  check(rows > 1, 'standardised: data', 'at least two rows', rows);
  if (levels !== undefined) {
    checkInteger('standardised: levels', levels, 2, 65536);
    checkIntegers('standardised: data', data, dim, levels);
  }
  if (alpha !== undefined) {
    check(alpha >= 0 && alpha < 0.5, 'standardised: alpha', 'a number from 0 to below 1/2', alpha);
    // Without a margin the ends of the cube are infinitely far away.
    const outside = data.find((x) => levels === undefined && !(alpha > 0 ? x >= 0 && x <= 1 : x > 0 && x < 1));
    check(
      outside === undefined,
      'standardised: data',
      `numbers ${alpha > 0 ? 'from' : 'between'} 0 ${alpha > 0 ? 'to' : 'and'} 1`,
      outside,
    );
  }
  const z = (x: number) => {
    if (alpha === undefined) return x;
    const y = alpha + (1 - 2 * alpha) * x;
    return Math.log(y / (1 - y));
  };
  const low: number[] = [];
  const high: number[] = [];
  for (let f = 0; f < dim; f++) {
    const points = pointsOf(data, f, dim, levels);
    const average = (term: (value: number) => number) => points.reduce((sum, { value, weight }) => sum + weight * term(z(value)), 0) / rows;
    const mean = average((value) => value);
    const deviation = Math.sqrt(average((value) => (value - mean) ** 2));
    const place = `standardised: data, feature ${f},`;
    check(Number.isFinite(deviation), place, 'finite numbers', `a mean of ${mean}`);
    low.push(mean - deviation);
    high.push(mean + deviation);
    const told = Math.fround(high[f]!) > Math.fround(low[f]!);
    check(told, place, 'values that differ by more than float32 rounds them', `${mean} ± ${deviation}`);
  }
  const to: [number, number] = [-1, 1];
  const op = { op: 'rescale' as const, low, high, to };
  const scaled = own.behind(rescaleLayer(op, dim, 'standardised'), op);
  if (alpha === undefined) return scaled;
  const whole = scaled.behind(new Logit(dim, alpha), { op: 'logit', alpha });
  scaled.dispose();
  return whole;
}
