// Scale forms of the affine ops; formulas in docs/format.md, `coupling_affine`.

import type { ScaleForm } from '../../format/description.js';
import { needs } from '../../format/needs.js';
import { UnsupportedError } from '../../runtime/errors.js';
import type { AffineSettings } from '../transformers/affine.js';

/** zuko's bounded log-scale. @throws FormatError where the slope does not bound anything. */
export function softclip(slope: number, place: string): AffineSettings {
  needs(slope > 0 && slope !== 1, `${place}.slope`, 'a positive number other than 1', slope);
  return { scale: 'softclip', high: Math.abs(Math.log(slope)), dividesForward: false };
}

/** What each form says besides the numbers of the op. */
const SCALES: Record<Exclude<ScaleForm['form'], 'softclip'> | 'additive', Omit<AffineSettings, 'dividesForward'>> = {
  sigmoid2: { scale: 'sigmoid', offset: 2 },
  softplus: { scale: 'softplus' },
  softplus_clamp3: { scale: 'softplus-clamped', high: 3 },
  exp: { scale: 'exp' },
  tanh: { scale: 'tanh' },
  clamp: { scale: 'clamp' },
  additive: { scale: 'none' },
};

/** Settings of y = a x + t in the direction that the net reads. */
export function scaleOf(op: ScaleForm | { form: 'additive' }, place: string): AffineSettings {
  for (const key of ['eps', 'bound', 'low', 'high'] as const) {
    const value = (op as { readonly [key]?: unknown })[key];
    const fits = Number.isFinite(value) && !(key === 'eps' && (value as number) < 0);
    needs(fits || value === undefined, `${place}.${key}`, `a finite number${key === 'eps' ? ' ≥ 0' : ''}`, value);
  }
  if (op.form === 'softclip') return softclip(op.slope, place);
  // A recipe's options come from JavaScript too.
  if (!Object.hasOwn(SCALES, op.form))
    throw new UnsupportedError(place, `form ${JSON.stringify(op.form)}`, [...Object.keys(SCALES), 'softclip']);
  const { eps, bound, low, high } = op as Partial<Record<'eps' | 'bound' | 'low' | 'high', number>>;
  return { dividesForward: false, eps, low, high: bound ?? high, ...SCALES[op.form] };
}

/** The interpolation of an op. @throws FormatError for one outside (0, 1]. */
export function mixOf(op: { mix?: number | undefined }, place: string): { mix: number | undefined } {
  const { mix } = op;
  needs(mix === undefined || (Math.fround(mix) > 0 && mix <= 1), `${place}.mix`, 'a number above 0, at most 1', mix);
  return { mix };
}
