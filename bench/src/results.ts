// What a run hands over; bench/schema.json says the same of the file.

import type { Method } from './measure.js';
import type { Axis, SectionName, Settings } from './settings.js';
import type { PowerLaw, Statistics } from './statistics.js';

export const schemaVersion = 2;

export interface Environment {
  readonly library: string;
  /** Commit of the checkout, with a + where files differ from it; null where nobody said. */
  readonly commit: string | null;
  readonly date: string;
  readonly userAgent: string;
  readonly hardwareConcurrency: number;
  readonly adapter: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
    readonly subgroupSizes: string;
  };
  /** Whether the adapter computes on the CPU. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly clock: {
    readonly method: Method;
    /** Step of the GPU's timestamps as seen, ns; null without them. */
    readonly timestampStep: number | null;
    /** Step of performance.now(), ms. */
    readonly wallStep: number;
  };
}

/** A comparison with the float64 reference, or of one GPU result with another. */
export interface ErrorFigure {
  readonly of: string;
  /** Largest |difference| / max(1, |expected|), unless `of` says otherwise. */
  readonly value: number;
  readonly limit: number;
}

export interface Row {
  readonly section: SectionName;
  /** Unique within a section, and the same in every run of the same sizes. */
  readonly name: string;
  /** Milliseconds, on the GPU unless the note says otherwise; null where the result was wrong, so that nothing was timed. */
  readonly time: Statistics | null;
  /** The same work by the wall, from recording to the host's knowledge that it is done; null where `time` is a wall time. */
  readonly wall: Statistics | null;
  /** From the median time. */
  readonly rate: { readonly value: number; readonly unit: string } | null;
  /** GB/s: what the dispatches bind, each buffer of each dispatch once, over the median time. */
  readonly traffic: number | null;
  /** `rate` as a share of the multiply-add kernel that ran in the same rounds. */
  readonly ofCeiling: number | null;
  /** Milliseconds that its pipelines took to compile, one after another; of another library, from a new session to the first result. */
  readonly compile: number | null;
  /** Time as a multiple of another row's. */
  readonly ratio: { readonly value: number; readonly to: string } | null;
  readonly errors: readonly ErrorFigure[];
  readonly verified: boolean;
  readonly note: string;
}

export interface KernelShare {
  readonly kernel: string;
  readonly dispatches: number;
  /** Milliseconds of all its dispatches in one run. */
  readonly time: Statistics;
  readonly share: number;
  /** As in Row. */
  readonly traffic: number;
  readonly compile: number | null;
}

/** Times of single dispatches, from Flow.profile, summed by kernel. */
export interface TaskProfile {
  readonly task: string;
  readonly method: Method;
  readonly kernels: readonly KernelShare[];
}

export interface GrowthPoint {
  /** What is varied, at this point. */
  readonly at: number;
  /** Milliseconds. */
  readonly sample: number;
  readonly logProb: number;
  /** D × the time of logProb: what a library pays that inverts with one network pass a feature. */
  readonly passes: number;
  /** Of one pass: 2 × open weights × rows. */
  readonly maskedFlops: number;
  /** Of the sequential solve as it is packed, padding included. */
  readonly solveFlops: number;
}

/** The exponents of power laws in what is varied: of a time, and of the arithmetic that it stands for. */
export interface Exponents extends PowerLaw {
  readonly arithmetic: number;
}

export interface GrowthFit extends Exponents {
  readonly of: 'sample' | 'logProb' | 'passes';
  /** Of the upper half of the points: small ones cost what a dispatch costs, whatever it computes. */
  readonly large: Exponents;
}

export interface Growth {
  readonly axis: Axis;
  /** The sizes that stay. */
  readonly about: string;
  readonly points: readonly GrowthPoint[];
  readonly fits: readonly GrowthFit[];
}

export interface Results {
  readonly schema: typeof schemaVersion;
  readonly environment: Environment;
  readonly settings: Settings;
  readonly rows: readonly Row[];
  readonly profiles: readonly TaskProfile[];
  readonly growth: readonly Growth[];
  /** What the device or the page complained of. */
  readonly complaints: readonly string[];
  readonly verified: boolean;
  readonly seconds: number;
}

export type RowFields = Pick<Row, 'name' | 'time'> & Partial<Row>;

export const row = (section: SectionName, fields: RowFields): Row => ({
  section,
  wall: null,
  rate: null,
  traffic: null,
  compile: null,
  ofCeiling: null,
  ratio: null,
  errors: [],
  verified: true,
  note: '',
  ...fields,
});

/** A figure per second, from a count and the median milliseconds. */
export const perSecond = (count: number, { median }: Statistics, unit: 'GFLOP/s' | 'samples/s') => ({
  value: count / (median / 1000) / (unit === 'samples/s' ? 1 : 1e9),
  unit,
});

export const gigabytes = (bytes: number, { median }: Statistics): number => bytes / (median / 1000) / 1e9;

/** NaN is above every limit. */
export const within = ({ value, limit }: ErrorFigure): boolean => value <= limit;

/** The row of something that is wrong. */
export const refused = (section: SectionName, name: string, errors: readonly ErrorFigure[]): Row =>
  row(section, { name, time: null, errors, verified: false, note: 'not timed: the result is wrong' });
