// Ops with a spline transformer, and how a description of a spline becomes its settings.

import type { SplineDescription } from '../../format/description.js';
import { needs } from '../../format/needs.js';
import { Chain } from '../bijectors/chain.js';
import { SharedSpline } from '../bijectors/shared-spline.js';
import { identityOrder } from '../conditioner/packing.js';
import { type SplineSettings, SplineTransformer, splineParameters } from '../transformers/spline.js';
import { autoregressive, coupling } from './conditioner.js';
import type { BuildContext, OpBuilders } from './op.js';

type Box = SplineSettings['box'];

function boxOf(spline: SplineDescription, place: string): Box {
  if (spline.type !== 'zuko' && spline.tails === 'none') {
    const box = spline.box ?? [0, 1, 0, 1];
    const sound = box.length === 4 && box[0]! < box[1]! && box[2]! < box[3]!;
    needs(sound, `${place}.box`, '[left, right, bottom, top] with left < right and bottom < top', JSON.stringify(box));
    return box as unknown as Box;
  }
  const [key, bound] = spline.type === 'zuko' ? ['bound', spline.bound] : ['tail_bound', spline.tail_bound];
  needs(bound !== undefined && bound > 0, `${place}.${key}`, 'a number above 0', bound);
  return [-bound, bound, -bound, bound];
}

/** @throws FormatError where the numbers of a spline do not make one. */
export function splineSettings(spline: SplineDescription, place: string): SplineSettings {
  const tails = spline.tails ?? 'linear';
  const common = { tails, bins: spline.bins, box: boxOf(spline, place) };
  const shift = 'shift' in spline && spline.shift !== undefined ? { shift: spline.shift } : {};
  needs(shift.shift === undefined || tails === 'circular', `${place}.shift`, 'tails "circular"', `"${tails}"`);
  if (spline.type === 'zuko') {
    const { slope } = spline;
    needs(slope > 0 && slope !== 1, `${place}.slope`, 'a positive number other than 1', slope);
    return { ...common, ...shift, spline: 'rational-quadratic', softclip: Math.abs(Math.log(slope)) };
  }
  if (spline.type === 'linear') return { ...common, spline: 'linear' };
  const { min_bin_width: minWidth, min_bin_height: minHeight, width_height_divisor: divisor } = spline;
  // The heights of a quadratic spline are densities at knots, whose least value is no share of the whole.
  for (const [key, least, share] of [
    ['min_bin_width', minWidth, spline.bins],
    ['min_bin_height', minHeight, spline.type === 'quadratic' ? 1 : spline.bins],
  ] as const)
    needs(least * share < 1, `${place}.${key}`, `less than ${1 / share} with ${spline.bins} bins`, least);
  needs(divisor > 0, `${place}.width_height_divisor`, 'a number above 0', divisor);
  const sizes = { ...common, minWidth, minHeight, divisor };
  if (spline.type === 'cubic') return { ...sizes, spline: 'cubic' };
  const edges = { linear: 'one', circular: 'shared', none: 'free' } as const;
  if (spline.type === 'quadratic') {
    needs(tails !== 'linear' || spline.bins > 1, `${place}.bins`, 'at least 2 for a quadratic spline with tails', 1);
    return { ...sizes, spline: 'quadratic', edges: edges[tails] };
  }
  return { ...sizes, ...shift, spline: 'rational-quadratic', edges: edges[tails], minDerivative: spline.min_derivative };
}

export const splineTransformer = (spline: SplineDescription, place: string) =>
  new SplineTransformer(splineSettings(spline, `${place}.spline`));

/** Splines of their own from three tensors [features, K], [features, K], [features, derivatives]; those that hold nothing may be missing. */
export function sharedSpline(
  names: readonly string[],
  spline: SplineDescription,
  features: ArrayLike<number>,
  { inputs: dim, state }: BuildContext,
  place: string,
): SharedSpline {
  const settings = splineSettings(spline, place);
  const total = splineParameters(settings);
  const { bins } = settings;
  const sizes = [bins, Math.min(bins, total - bins), Math.max(0, total - 2 * bins)];
  const parts = sizes.map((size, i) =>
    size > 0 || state.has(names[i] ?? '') ? state.parameter(names[i] ?? '', [features.length, size]) : null,
  );
  return new SharedSpline(dim, settings, features, (p, slot) => {
    const part = Math.min(2, Math.floor(p / bins));
    return parts[part]![slot * sizes[part]! + (p - part * bins)]!;
  });
}

/** `ar_rqs` and `coupling_rqs` have no other splines. */
function rationalQuadratic(spline: SplineDescription, place: string): SplineTransformer {
  const { type } = spline;
  needs(type === 'durkan' || type === 'zuko', `${place}.spline.type`, '"durkan" or "zuko" in this op', `"${type}"`);
  return splineTransformer(spline, place);
}

export const splineOps = {
  ar_rqs: (op, context) => autoregressive(op.net, rationalQuadratic(op.spline, context.place), context),

  ar_spline: (op, context) => autoregressive(op.net, splineTransformer(op.spline, context.place), context),

  coupling_rqs(op, context) {
    const layer = coupling(op.net, op, rationalQuadratic(op.spline, context.place), context);
    if (!op.unconditional) return layer;
    const { prefix, spline } = op.unconditional;
    const names = ['widths', 'heights', 'derivatives'].map((part) => `${prefix}.unnormalized_${part}`);
    return new Chain(
      context.inputs,
      [layer, sharedSpline(names, spline, op.identity, context, `${context.place}.unconditional.spline`)],
      'spline-coupling',
    );
  },

  coupling_spline: (op, context) => coupling(op.net, op, splineTransformer(op.spline, context.place), context),

  wrap(op, { inputs: dim, place }) {
    needs(op.bound > 0, `${place}.bound`, 'a number above 0', op.bound);
    const features = op.features ?? [...identityOrder(dim)];
    const once = new Set(features).size === features.length && features.every((feature) => feature < dim);
    needs(once, `${place}.features`, `some of 0 to ${dim - 1}, each once`, JSON.stringify(features));
    const settings = { spline: 'identity', tails: 'circular', bins: 1, box: [-op.bound, op.bound, -op.bound, op.bound] } as const;
    return new SharedSpline(dim, settings, features, () => 0, 'wrap');
  },
} satisfies OpBuilders;
