// Numbers of the page of training.

import { integer } from '../text.js';

/** A loss: three decimals, and none where it is far off. */
export function loss(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) < 1000 ? value.toFixed(3).replace('-', '−') : integer(value);
}

const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** A range, as exact as a look at it is worth. */
export const span = ([low, high]: readonly [number, number]): string =>
  [low, high].map((value) => short.format(value).replace('-', '−').replaceAll(',', '\u202f')).join(' to ');

export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${integer(Math.floor(whole / 3600))} h ${Math.floor((whole % 3600) / 60)} min`;
}
