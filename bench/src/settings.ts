// What is run. Names of rows do not depend on it, sizes in them do.

import type { Rounds } from './measure.js';

export const sectionNames = ['ceilings', 'compile', 'masked-linear', 'maf', 'growth', 'directions', 'small'] as const;
export type SectionName = (typeof sectionNames)[number];

/** Every device of a run comes from the same adapter. */
export const adapterRequest = { powerPreference: 'high-performance' } as const;

export interface Settings extends Rounds {
  readonly size: 'full' | 'quick' | 'tiny';
  readonly only: readonly SectionName[];
  /** A measurement on the GPU is repeated until it takes about so long, ms. */
  readonly target: number;
  /** Rows that are compared with the float64 reference. */
  readonly checkedRows: number;
  readonly copyMebibytes: { readonly software: number; readonly hardware: number };
  readonly linear: { readonly rows: number; readonly width: number };
  readonly maf: { readonly dim: number; readonly hidden: readonly number[]; readonly layers: number; readonly batch: number };
  readonly growth: { readonly dims: readonly number[]; readonly hidden: readonly number[]; readonly batch: number };
  readonly directions: { readonly dim: number; readonly hidden: readonly number[]; readonly batch: number };
  readonly small: { readonly batches: readonly number[]; readonly encodeCount: number; readonly encodeRounds: number };
}

const full: Settings = {
  size: 'full',
  only: sectionNames,
  warmup: 2,
  rounds: 11,
  budget: 60,
  target: 20,
  checkedRows: 8,
  copyMebibytes: { software: 32, hardware: 64 },
  linear: { rows: 1024, width: 512 },
  maf: { dim: 64, hidden: [512, 512], layers: 5, batch: 1024 },
  growth: { dims: [8, 16, 32, 64, 128, 256, 512], hidden: [512, 512], batch: 1024 },
  directions: { dim: 64, hidden: [512, 512], batch: 1024 },
  small: { batches: [1, 1024, 65536], encodeCount: 1024, encodeRounds: 500 },
};

const quick: Settings = {
  ...full,
  size: 'quick',
  warmup: 1,
  rounds: 3,
  budget: 15,
  checkedRows: 4,
  maf: { ...full.maf, batch: 512 },
  growth: { ...full.growth, dims: [8, 32, 128, 512], batch: 256 },
  directions: { ...full.directions, batch: 256 },
  small: { ...full.small, batches: [1, 1024] },
};

/** For the smoke test: every path, figures of no value. */
const tiny: Settings = {
  ...quick,
  size: 'tiny',
  rounds: 2,
  target: 1,
  checkedRows: 3,
  copyMebibytes: { software: 1, hardware: 1 },
  linear: { rows: 64, width: 32 },
  maf: { dim: 6, hidden: [24, 24], layers: 2, batch: 64 },
  growth: { dims: [4, 8, 16], hidden: [24, 24], batch: 64 },
  directions: { dim: 6, hidden: [24, 24], batch: 64 },
  small: { batches: [1, 64], encodeCount: 64, encodeRounds: 20 },
};

export const presets: Readonly<Record<Settings['size'], Settings>> = { full, quick, tiny };
