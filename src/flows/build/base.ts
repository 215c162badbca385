// From the base of a description and its tensors to a base distribution.

import type { BaseDescription, LevelDescription } from '../../format/description.js';
import { needs } from '../../format/needs.js';
import { UnsupportedError } from '../../runtime/errors.js';
import type { Base } from '../bases/base.js';
import { BoxUniform } from '../bases/box-uniform.js';
import { conditionalNormal } from '../bases/conditional-normal.js';
import { DiagonalMixture } from '../bases/diagonal-mixture.js';
import { DiagonalNormal } from '../bases/diagonal-normal.js';
import { StandardNormal } from '../bases/standard-normal.js';
import { contextConditioner } from './conditioner.js';
import type { BaseBuilders, BaseContext } from './op.js';
import type { StateReader } from './state.js';

export const PLACE = 'description.base';

const commonBases = {
  standard_normal(_, { dim, state }) {
    // zuko stores the standard normal's parameters as buffers.
    for (const name of ['base.loc', 'base._0']) state.expectFilled(name, 0);
    for (const name of ['base.scale', 'base._1']) state.expectFilled(name, 1);
    return new StandardNormal(dim);
  },

  uniform({ low, high }, { dim, state }) {
    needs(low < high, PLACE, 'low < high', `${low} and ${high}`);
    // zuko stores the ends of its uniform base as buffers.
    for (const name of ['base.lower', 'base._0']) state.expectFilled(name, low);
    for (const name of ['base.upper', 'base._1']) state.expectFilled(name, high);
    return new BoxUniform(new Float32Array(dim).fill(low), new Float32Array(dim).fill(high));
  },

  diag_normal(base, { dim, state }) {
    if (base.levels) return levelNormal(base.levels, state);
    return new DiagonalNormal(state.row(base.loc, [dim]), state.row(base.log_scale, [dim]));
  },

  diag_gmm({ components, logits, means, log_scales }, { dim, state }) {
    const each = [components, dim];
    return new DiagonalMixture(state.parameter(logits, [components]), state.parameter(means, each), state.parameter(log_scales, each));
  },

  box_uniform(base, { dim, state }) {
    const [low, high] = [state.buffer(base.low, [dim]), state.buffer(base.high, [dim])];
    const bad = low.findIndex((value, f) => !(value < high[f]! && Number.isFinite(Math.fround(high[f]! - value))));
    needs(bad < 0, PLACE, 'low below high, a finite number apart', `${low[bad]} and ${high[bad]} at feature ${bad}`);
    return new BoxUniform(low, high);
  },

  conditional_normal({ net }, { dim, contextDim, state }) {
    const layout = { view: 'by parameter', places: [0, 1] } as const;
    return conditionalNormal(dim, contextConditioner(net, dim, layout, { state, contextDim, place: PLACE }));
  },
} satisfies BaseBuilders;

/** @throws UnsupportedError for a base that is not built here; FormatError where a tensor is missing or does not fit. */
export function buildBase(base: BaseDescription, context: BaseContext, bases: BaseBuilders): Base {
  const known: BaseBuilders = { ...commonBases, ...bases };
  const builder = known[base.type] as ((base: BaseDescription, context: BaseContext) => Base) | undefined;
  if (!builder) throw new UnsupportedError(PLACE, `base ${JSON.stringify(base.type)}`, Object.keys(known));
  return builder(base, context);
}

/** A diagonal normal of the latents of a multi-scale flow, level 0 first. normflows stores [1, C, H, W]. */
function levelNormal(levels: readonly LevelDescription[], state: StateReader): Base {
  const read = (key: 'loc' | 'log_scale') => levels.flatMap((level) => Array.from(state.row(level[key], level.shape)));
  return new DiagonalNormal(read('loc'), read('log_scale'));
}
