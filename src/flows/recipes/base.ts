// Fresh base distributions for the recipes.

import type { BaseDescription } from '../../format/description.js';
import { check, checkInteger, checkOneOf } from '../checks.js';
import { checkWidths, type TensorWriter } from './initial.js';

/** What z follows; equations in docs/flows/bases.md. */
export type BaseOption =
  | { readonly type: 'standard_normal' }
  /** Learned mean and scale of each feature; they start at 0 and 1. */
  | { readonly type: 'normal' }
  /** Learned mixture of diagonal normals. Means start uniform in ±spread (default 2), scales at 1, weights equal. */
  | { readonly type: 'mixture'; readonly components: number; readonly spread?: number }
  /** Uniform on a box, fixed; one number stands for every feature. Default [0, 1]. */
  | { readonly type: 'uniform'; readonly low?: number | readonly number[]; readonly high?: number | readonly number[] }
  /** Mean and log-scale from an MLP of the context, with tanh. Hidden widths default to [64]. */
  | { readonly type: 'conditional_normal'; readonly hidden?: readonly number[] };

/** Describes a base and writes its tensors, under `base.`. @throws ValueError */
export function writeBase(
  writer: TensorWriter,
  option: BaseOption = { type: 'standard_normal' },
  { dim, contextDim }: { readonly dim: number; readonly contextDim: number },
): BaseDescription {
  checkOneOf('base: type', option.type, ['standard_normal', 'normal', 'mixture', 'uniform', 'conditional_normal']);
  switch (option.type) {
    case 'standard_normal':
      return { type: 'standard_normal' };
    case 'normal':
      writer.filled('base.loc', [dim], 0);
      writer.filled('base.log_scale', [dim], 0);
      return { type: 'diag_normal', loc: 'base.loc', log_scale: 'base.log_scale' };
    case 'mixture': {
      const { components, spread = 2 } = option;
      checkInteger('base: components', components, 1);
      check(Number.isFinite(Math.fround(spread)), 'base: spread', 'a finite number', spread);
      writer.filled('base.logits', [components], 0);
      writer.float('base.means', [components, dim], writer.draws(components * dim, spread));
      writer.filled('base.log_scales', [components, dim], 0);
      return { type: 'diag_gmm', components, logits: 'base.logits', means: 'base.means', log_scales: 'base.log_scales' };
    }
    case 'uniform': {
      const bound = (name: 'low' | 'high', value: number | readonly number[]) => {
        const list = typeof value === 'number' ? new Float32Array(dim).fill(value) : Float32Array.from(value);
        check(list.length === dim && list.every(Number.isFinite), `base: ${name}`, `a finite number, or ${dim} of them`, value);
        writer.float(`base.${name}`, [dim], list);
        return list;
      };
      const [low, high] = [bound('low', option.low ?? 0), bound('high', option.high ?? 1)];
      const bad = low.findIndex((value, f) => !(value < high[f]!));
      check(bad < 0, `base: low[${bad}]`, `a number below high, ${high[bad]}`, low[bad]);
      return { type: 'box_uniform', low: 'base.low', high: 'base.high' };
    }
    case 'conditional_normal': {
      const { hidden = [64] } = option;
      check(contextDim > 0, 'base: conditional_normal', 'a contextDim of at least 1, since it reads the context', 0);
      checkWidths('base: hidden', hidden, 0);
      const linears = writer.linears('base.net', [contextDim, ...hidden, 2 * dim]);
      return { type: 'conditional_normal', net: { type: 'masked_mlp', linears, activation: 'tanh' } };
    }
  }
}
