import { rescaleLayer } from '../build/bounded.js';
import { check, checkRows } from '../checks.js';
import { type Flow, ownFlow } from '../flow.js';

/**
 * A flow for data as they come: `flow` behind (x − mean) / deviation, feature by feature, with the statistics of `data` [n, D] row-major.
 * Densities are those of the data in their own units: the log-det holds −Σ log deviation. The statistics are fixed, saved and loaded with
 * the flow, and no parameters. The old flow stays usable, and each is disposed on its own.
 *
 * ```ts
 * const flow = standardised(await maf(gpu, { dim: 3 }), table);
 * await fit(flow, table);
 * ```
 *
 * @throws ShapeError for data of another width; ValueError for numbers that are not finite, or a feature that is the same in every row.
 */
export function standardised(flow: Flow, data: Float32Array): Flow {
  const own = ownFlow('standardised: flow', flow);
  const { dim } = flow;
  const rows = checkRows('standardised: data', data, dim);
  check(rows > 1, 'standardised: data', 'at least two rows', rows);
  const low: number[] = [];
  const high: number[] = [];
  for (let f = 0; f < dim; f++) {
    const average = (term: (value: number) => number) => {
      let sum = 0;
      for (let at = f; at < data.length; at += dim) sum += term(data[at]!);
      return sum / rows;
    };
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
  return own.behind(rescaleLayer(op, dim, 'standardised'), op);
}
