// What is run. Names of rows do not depend on it, sizes in them do.

import type { BesideSettings } from '../beside/problems.js';
import type { Rounds } from './measure.js';

/** In the order in which they run: `start-up` before anything has compiled what it compiles. */
export const sectionNames = ['start-up', 'ceilings', 'masked-linear', 'maf', 'growth', 'directions', 'small', 'frame', 'beside'] as const;
export type SectionName = (typeof sectionNames)[number];

/** Every device of a run comes from the same adapter. */
export const adapterRequest = { powerPreference: 'high-performance' } as const;

/** A masked autoregressive flow and its rows. */
export interface MafSize {
  readonly dim: number;
  readonly hidden: readonly number[];
  readonly layers: number;
  readonly batch: number;
}

export type Axis = 'D' | 'hidden' | 'batch' | 'layers';

/** One size of a MAF that is varied, and the others. */
export interface Sweep {
  readonly axis: Axis;
  readonly values: readonly number[];
  readonly base: MafSize;
}

export interface Settings extends Rounds {
  readonly size: 'full' | 'quick' | 'tiny';
  readonly only: readonly SectionName[];
  /** A measurement on the GPU is repeated until it takes about so long, ms. */
  readonly target: number;
  /** Rows that are compared with the float64 reference. */
  readonly checkedRows: number;
  readonly copyMebibytes: { readonly software: number; readonly hardware: number };
  /** Cases of tests/golden that are imported. */
  readonly startUp: { readonly golden: readonly string[] };
  readonly linear: { readonly rows: number; readonly width: number };
  readonly maf: MafSize;
  readonly growth: readonly Sweep[];
  /** `variants`: with other nets, orders, weights and splines too. */
  readonly directions: { readonly dim: number; readonly hidden: readonly number[]; readonly batch: number; readonly variants: boolean };
  readonly small: { readonly batches: readonly number[] };
  readonly frame: { readonly maf: MafSize; readonly rounds: number };
  readonly beside: BesideSettings;
}

const wide: MafSize = { dim: 64, hidden: [512, 512], layers: 1, batch: 1024 };
const narrow: MafSize = { dim: 64, hidden: [128, 128], layers: 1, batch: 1024 };

const full: Settings = {
  size: 'full',
  only: sectionNames,
  warmup: 2,
  rounds: 11,
  budget: 60,
  target: 20,
  checkedRows: 8,
  copyMebibytes: { software: 32, hardware: 64 },
  startUp: { golden: ['maf-d64', 'nflows-realnvp-d6'] },
  linear: { rows: 1024, width: 512 },
  maf: { ...wide, layers: 5 },
  growth: [
    { axis: 'D', values: [8, 16, 32, 64, 128, 256, 512, 1024], base: wide },
    { axis: 'hidden', values: [64, 128, 256, 512, 1024, 2048], base: wide },
    { axis: 'batch', values: [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536], base: narrow },
    { axis: 'layers', values: [1, 2, 5, 10, 20], base: narrow },
  ],
  directions: { dim: 64, hidden: [512, 512], batch: 1024, variants: true },
  small: { batches: [1, 1024, 100_000] },
  frame: { maf: { ...wide, layers: 5 }, rounds: 500 },
  beside: {
    maf: { dim: 64, hidden: [512, 512], rows: 1024 },
    coupling: { rows: 1024, wide: 64 },
    passes: 4,
    tasks: '',
  },
};

const quick: Settings = {
  ...full,
  size: 'quick',
  warmup: 1,
  rounds: 3,
  budget: 15,
  checkedRows: 4,
  maf: { ...full.maf, batch: 512 },
  growth: [
    { axis: 'D', values: [8, 64, 512], base: { ...wide, batch: 256 } },
    { axis: 'hidden', values: [64, 256, 1024], base: { ...wide, batch: 256 } },
    { axis: 'batch', values: [1, 64, 4096], base: narrow },
    { axis: 'layers', values: [1, 4, 16], base: { ...narrow, batch: 256 } },
  ],
  directions: { ...full.directions, batch: 256 },
  small: { batches: [1, 1024] },
  beside: { maf: { ...full.beside.maf, rows: 256 }, coupling: { rows: 256, wide: 64 }, passes: 1, tasks: 'MAF' },
};

const toy: MafSize = { dim: 6, hidden: [24, 24], layers: 1, batch: 64 };

/** For the smoke test: every path, figures of no value. */
const tiny: Settings = {
  ...quick,
  size: 'tiny',
  rounds: 2,
  target: 1,
  checkedRows: 3,
  copyMebibytes: { software: 1, hardware: 1 },
  startUp: { golden: ['nflows-realnvp-d6'] },
  linear: { rows: 64, width: 32 },
  maf: { ...toy, layers: 2 },
  growth: [
    { axis: 'D', values: [4, 16], base: toy },
    { axis: 'hidden', values: [8, 24], base: toy },
    { axis: 'batch', values: [1, 64], base: toy },
    { axis: 'layers', values: [1, 2], base: toy },
  ],
  directions: { dim: 6, hidden: [24, 24], batch: 64, variants: false },
  small: { batches: [1, 64] },
  frame: { maf: { ...toy, layers: 2 }, rounds: 20 },
  beside: { maf: { dim: 6, hidden: [16, 16], rows: 64 }, coupling: { rows: 64, wide: 6 }, passes: 6, tasks: 'MAF sampling' },
};

export const presets: Readonly<Record<Settings['size'], Settings>> = { full, quick, tiny };
