// Elementwise maps between the line and intervals or half-lines, and affine maps between intervals.

import type { PerFeature } from '../../format/description.js';
import { needs } from '../../format/needs.js';
import type { Bijector } from '../bijector.js';
import { Bounded, type FeatureSupport } from '../bijectors/bounded.js';
import { Inverse } from '../bijectors/chain.js';
import { DiagonalAffine } from '../bijectors/diagonal-affine.js';
import type { BuildContext, OpBuilders, OpOf } from './op.js';

type Place = Pick<BuildContext, 'inputs' | 'place'>;

/** One entry a feature. */
function entries(given: PerFeature | undefined, key: string, { inputs: dim, place }: Place, otherwise: number | null): (number | null)[] {
  if (!Array.isArray(given)) return new Array<number | null>(dim).fill(given ?? otherwise);
  needs(given.length === dim, `${place}.${key}`, `one number, or ${dim}, one a feature`, given.length);
  return given;
}

/** As `entries`, without open ends. */
function numbers(given: PerFeature | undefined, key: string, where: Place, otherwise: number | null): number[] {
  const values = entries(given, key, where, otherwise);
  const open = values.indexOf(null);
  needs(open < 0, `${where.place}.${key}`, 'a number for every feature', `null at ${open}`);
  return values as number[];
}

function interval(low: number, high: number, f: number, place: string, k = 1): FeatureSupport {
  const width = Math.fround(high) - Math.fround(low);
  const proper = width > 0 && Number.isFinite(width);
  needs(proper, `${place}: feature ${f}`, 'low below high, as float32 numbers a finite distance apart', `${low} and ${high}`);
  return { kind: 'interval', low, high, k };
}

const checkEps = (eps: number, place: string): void => needs(eps < 0.5, `${place}.eps`, 'a number in [0, 0.5)', eps);

const directed = (op: { readonly inverse?: boolean }, layer: Bijector): Bijector => (op.inverse ? new Inverse(layer) : layer);

function halfLines(op: OpOf<'softplus_to' | 'exp_to'>, context: BuildContext): Bijector {
  const kind = op.op === 'exp_to' ? 'exp' : 'softplus';
  return directed(op, new Bounded(numbers(op.low, 'low', context, 0).map((low) => ({ kind, low }))));
}

/** The layer of a `support` op over `dim` features. @throws FormatError */
export function supportLayer(op: OpOf<'support'>, dim: number, place: string): Bijector {
  const where = { inputs: dim, place };
  const [low, high] = [entries(op.low, 'low', where, null), entries(op.high, 'high', where, null)];
  const kind = op.positive ?? 'softplus';
  checkEps(op.eps ?? 0, place);
  const features = low.map((from, f): FeatureSupport => {
    const to = high[f]!;
    if (from !== null && to !== null) return interval(from, to, f, place);
    if (from !== null) return { kind, low: from };
    return to === null ? { kind: 'line' } : { kind, low: to, k: -1 };
  });
  return directed(op, new Bounded(features, op.eps));
}

/** The layer of a `rescale` op over `dim` features. @throws FormatError */
export function rescaleLayer(op: OpOf<'rescale'>, dim: number, place: string): Bijector {
  const where = { inputs: dim, place };
  const [low, high] = [numbers(op.low, 'low', where, 0), numbers(op.high, 'high', where, 1)];
  const [start, end] = op.to ?? [0, 1];
  needs((op.to ?? [0, 1]).length === 2 && start < end, `${place}.to`, 'two numbers, the smaller first', op.to);
  const logScale = low.map((from, f) => {
    interval(from, high[f]!, f, place);
    return Math.log((end - start) / (high[f]! - from));
  });
  return new DiagonalAffine('rescale', {
    center: low,
    logScale: { raw: new Float32Array(low.length), offset: logScale },
    shift: low.map(() => start),
  });
}

export const boundedOps = {
  sigmoid_to(op, context) {
    const { place, state } = context;
    const { temperature = 1, eps = 0 } = op;
    const k = typeof temperature === 'string' ? state.parameter(temperature, [1])[0]! : temperature;
    needs(k > 0, `${place}.temperature`, 'a positive number', k);
    checkEps(eps, place);
    const [low, high] = [numbers(op.low, 'low', context, 0), numbers(op.high, 'high', context, 1)];
    const features = low.map((from, f) => interval(from, high[f]!, f, place, k));
    return directed(op, new Bounded(features, eps, typeof temperature === 'string'));
  },

  tanh_to: (op, { inputs: dim }) => directed(op, new Bounded(Array.from({ length: dim }, () => ({ kind: 'tanh' as const })))),

  softplus_to: halfLines,

  exp_to: halfLines,

  support: (op, { inputs: dim, place }) => supportLayer(op, dim, place),

  rescale: (op, { inputs: dim, place }) => rescaleLayer(op, dim, place),
} satisfies OpBuilders;
