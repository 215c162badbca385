import { FormatError, ValueError } from '../../runtime/errors.js';
import { supportLayer } from '../build/bounded.js';
import { check, checkOneOf } from '../checks.js';
import { type Flow, ownFlow } from '../flow.js';

export interface Support {
  /** Lower end of every feature, or of each; null where there is none. Default null. */
  readonly low?: number | null | readonly (number | null)[];
  /** Upper end likewise. */
  readonly high?: number | null | readonly (number | null)[];
  /** Map to a half-line. Default 'softplus'. */
  readonly positive?: 'softplus' | 'exp';
  /** x closer to an end of an interval than eps (high − low) is scored as if it were that far away. Default 0. */
  readonly eps?: number;
}

/**
 * A flow on intervals and half-lines: `flow` followed, in the sampling direction, by a map of each feature to its support, a scaled
 * sigmoid, softplus or exponential. Features without ends stay. The new flow saves and loads as one; the old one stays usable, and
 * each is disposed on its own.
 *
 * ```ts
 * const flow = bounded(await maf(gpu, { dim: 3 }), { low: [0, 0, null], high: [1, null, null] });
 * ```
 *
 * @throws ValueError for ends that leave nothing between them, or that are not one number or one a feature.
 */
export function bounded(flow: Flow, support: Support): Flow {
  const own = ownFlow('bounded: flow', flow);
  const { low = null, high = null, positive = 'softplus', eps = 0 } = support;
  checkOneOf('bounded: positive', positive, ['softplus', 'exp']);
  const copy = (ends: typeof low) => (typeof ends === 'number' || ends === null ? ends : [...ends]);
  const op = { op: 'support', low: copy(low), high: copy(high), positive, eps } as const;
  for (const [key, ends] of Object.entries({ low: op.low, high: op.high }))
    for (const end of Array.isArray(ends) ? ends : [ends])
      check(end === null || Number.isFinite(end), `bounded: ${key}`, 'finite numbers, or null for no end', end);
  check(eps >= 0, 'bounded: eps', 'a number in [0, 0.5)', eps);
  try {
    return own.behind(supportLayer(op, flow.dim, 'bounded'), op);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const [, expected, got] = /^.*?needs (.*); got (.*)$/.exec(error.message)!;
    throw new ValueError(error.place, expected!, got!);
  }
}
