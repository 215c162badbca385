// From the base of a description and its tensors to a base distribution.

import type { BaseDescription, LevelDescription } from '../../format/description.js';
import { FormatError, UnsupportedError } from '../../runtime/errors.js';
import type { Base } from '../bases/base.js';
import { BoxUniform } from '../bases/box-uniform.js';
import { ConditionalNormal } from '../bases/conditional-normal.js';
import { DiagonalMixture } from '../bases/diagonal-mixture.js';
import { DiagonalNormal } from '../bases/diagonal-normal.js';
import { StandardNormal } from '../bases/standard-normal.js';
import { checkOutputs, headOf } from './autoregressive.js';
import { buildContextNet } from './nets.js';
import type { BaseBuilders } from './op.js';
import type { StateReader } from './state.js';

const PLACE = 'description.base';

/** @throws UnsupportedError for a base that is not built here; FormatError where a tensor is missing or does not fit. */
export function buildBase(base: BaseDescription, dim: number, contextDim: number, state: StateReader, bases: BaseBuilders): Base {
  const builder = bases[base.type];
  if (builder) return builder(base, dim, state);
  switch (base.type) {
    case 'standard_normal':
      // zuko stores the standard normal's parameters as buffers.
      for (const name of ['base.loc', 'base._0']) state.expectFilled(name, 0);
      for (const name of ['base.scale', 'base._1']) state.expectFilled(name, 1);
      return new StandardNormal(dim);
    case 'uniform': {
      if (!(base.low < base.high)) throw new FormatError(PLACE, `needs low < high; got ${base.low} and ${base.high}`);
      // zuko stores the ends of its uniform base as buffers.
      for (const name of ['base.lower', 'base._0']) state.expectFilled(name, base.low);
      for (const name of ['base.upper', 'base._1']) state.expectFilled(name, base.high);
      return new BoxUniform(new Float32Array(dim).fill(base.low), new Float32Array(dim).fill(base.high));
    }
    case 'diag_normal': {
      if (base.levels) return levelNormal(base.levels, state);
      const [loc, logScale] = [base.loc, base.log_scale].map((name) =>
        state.parameter(name, state.shapeOf(name).length === 2 ? [1, dim] : [dim]),
      );
      return new DiagonalNormal(loc!, logScale!);
    }
    case 'diag_gmm': {
      const { components } = base;
      return new DiagonalMixture(
        state.parameter(base.logits, [components]),
        state.parameter(base.means, [components, dim]),
        state.parameter(base.log_scales, [components, dim]),
      );
    }
    case 'box_uniform': {
      const [low, high] = [state.buffer(base.low, [dim]), state.buffer(base.high, [dim])];
      const bad = low.findIndex((value, f) => !(value < high[f]! && Number.isFinite(Math.fround(high[f]! - value))));
      if (bad >= 0)
        throw new FormatError(PLACE, `needs low below high, a finite number apart; got ${low[bad]} and ${high[bad]} at feature ${bad}`);
      return new BoxUniform(low, high);
    }
    case 'conditional_normal': {
      const stages = buildContextNet(state, base.net, contextDim, `${PLACE}.net`);
      const last = stages.length - 1;
      checkOutputs(stages, last, 2 * dim, PLACE);
      const heads = [headOf(last, dim, 0, 1), headOf(last, dim, dim, 1)];
      return new ConditionalNormal(dim, { inputs: contextDim, contextDim: 0, stages, heads });
    }
  }
  throw new UnsupportedError(PLACE, `base ${JSON.stringify(base.type)}`, [
    'standard_normal',
    'uniform',
    'diag_normal',
    'diag_gmm',
    'box_uniform',
    'conditional_normal',
    ...Object.keys(bases),
  ]);
}

/** A diagonal normal of the latents of a multi-scale flow, level 0 first. normflows stores [1, C, H, W]. */
function levelNormal(levels: readonly LevelDescription[], state: StateReader): Base {
  const read = (name: string, shape: readonly number[]) =>
    state.parameter(name, state.shapeOf(name).length === shape.length + 1 ? [1, ...shape] : shape);
  const loc = levels.flatMap((level) => Array.from(read(level.loc, level.shape)));
  const logScale = levels.flatMap((level) => Array.from(read(level.log_scale, level.shape)));
  return new DiagonalNormal(loc, logScale);
}
