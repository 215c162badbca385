// Results as text: the same cells for the terminal and for the page.

import type { Environment, Growth, GrowthFit, Results, Row, TaskProfile } from './results.js';
import type { SectionName } from './settings.js';

export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns that read better from the left; the others are numbers. */
  readonly left: readonly number[];
}

const titles: Readonly<Record<SectionName, string>> = {
  'start-up': 'Start-up',
  ceilings: 'Ceilings of the adapter',
  'masked-linear': 'Masked linear layer',
  maf: 'Masked autoregressive flow',
  growth: 'Growth of a MAF with its sizes',
  directions: 'Both directions of autoregressive layers',
  small: 'Small flow: realNVP',
  frame: 'A frame of an animation: recording a draw',
  beside: 'Beside other libraries',
};

/** Three significant digits and no exponent where that stays short. */
export function short(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(1);
  return size >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

const rate = ({ value, unit }: NonNullable<Row['rate']>): string => {
  if (unit !== 'samples/s') return `${short(value)} ${unit}`;
  const [scaled, prefix] = value >= 1e6 ? [value / 1e6, 'M'] : value >= 1e3 ? [value / 1e3, 'k'] : [value, ''];
  return `${short(scaled)}${prefix} ${unit}`;
};

const header = [
  '',
  'median ms',
  'p10',
  'p90',
  'min',
  'n',
  'wall ms',
  'rate',
  'of FMA',
  'GB/s',
  'compile ms',
  'ratio',
  'error (float64)',
  'note',
];
const LEFT = [0, 12, 13];

const percent = (share: number | null, digits = 0): string => (share === null ? '' : `${(100 * share).toFixed(digits)} %`);
const orNothing = (value: number | null | undefined): string => (typeof value === 'number' ? short(value) : '');

const cells = (row: Row): string[] => [
  row.name,
  ...(row.time ? [row.time.median, row.time.p10, row.time.p90, row.time.min].map(short) : ['WRONG', '', '', '']),
  row.time ? String(row.time.n) : '',
  orNothing(row.wall?.median),
  row.rate ? rate(row.rate) : '',
  percent(row.ofCeiling),
  orNothing(row.traffic),
  orNothing(row.compile),
  row.ratio === null ? '' : `${row.ratio.value >= 100 ? row.ratio.value.toFixed(0) : row.ratio.value.toFixed(2)} × ${row.ratio.to}`,
  row.errors.map(({ of, value, limit }) => `${of} ${short(value)}${value <= limit ? '' : ` > ${short(limit)}`}`).join(', '),
  row.note,
];

/** The rows of a section as a table. */
export const sectionTable = ({ rows }: Results, section: SectionName): Table => ({
  title: titles[section],
  header,
  rows: rows.filter((row) => row.section === section).map(cells),
  left: LEFT,
});

/** The sections that ran, in their order. */
export const sectionsOf = ({ rows }: Results): SectionName[] => [...new Set(rows.map(({ section }) => section))];

export const profileTables = ({ profiles, rows }: Results): Table[] => {
  const copy = rows.find(({ section, traffic }) => section === 'ceilings' && traffic !== null)?.traffic ?? null;
  return profiles.map(({ task, method, kernels }: TaskProfile) => ({
    title: `Kernels of ${task} (Flow.profile, ${method})`,
    header: ['kernel', 'dispatches', 'median ms', 'p10', 'p90', 'share', 'GB/s', 'of copy', 'compile ms'],
    rows: kernels.map(({ kernel, dispatches, time, share, traffic, compile }) => [
      kernel,
      String(dispatches),
      ...[time.median, time.p10, time.p90].map(short),
      percent(share, 1),
      short(traffic),
      percent(copy && traffic / copy),
      orNothing(compile),
    ]),
    left: [0],
  }));
};

const fitNames: Readonly<Record<GrowthFit['of'], string>> = {
  sample: 'sample',
  logProb: 'logProb',
  passes: 'D × logProb: one pass a feature',
};

export const growthTables = (growth: readonly Growth[]): Table[] =>
  growth.length === 0
    ? []
    : [
        {
          title: 'Growth: time = constant × size^exponent, beside the exponent of the multiply-adds',
          header: ['', 'of', 'the others', 'exponent', 'R²', 'arithmetic', 'upper half', 'R²', 'arithmetic'],
          rows: growth.flatMap(({ axis, about, fits }) =>
            fits.map(({ of, large, ...whole }) => [
              axis,
              fitNames[of],
              about,
              ...[whole, large].flatMap(({ exponent, r2, arithmetic }) => [exponent.toFixed(2), r2.toFixed(3), arithmetic.toFixed(2)]),
            ]),
          ),
          left: [0, 1, 2],
        },
      ];

export function environmentLines(environment: Environment, complaints: readonly string[]): string[] {
  const { adapter, clock, limits } = environment;
  const names = [adapter.vendor, adapter.architecture, adapter.device, adapter.description].filter(Boolean);
  const step = clock.timestampStep === null ? 'no timestamps' : `timestamps in steps of ${clock.timestampStep} ns`;
  return [
    `pushforward ${environment.library}${environment.commit ? ` (${environment.commit})` : ''}, ${environment.date}`,
    `adapter: ${names.join(', ')}, subgroups ${adapter.subgroupSizes}`,
    ...(environment.software ? ['SOFTWARE ADAPTER: the CPU computes; compare with nothing but other runs on it'] : []),
    `clock: ${clock.method}, ${step}; performance.now in steps of ${clock.wallStep} ms`,
    `features: ${environment.features.join(', ') || 'none'}`,
    `limits: ${Object.entries(limits)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
    `${environment.userAgent}, ${environment.hardwareConcurrency} logical cores`,
    ...complaints.map((text) => `COMPLAINT: ${text}`),
  ];
}

/** Columns of equal width; all tables together, so that one column stands under the other. */
export function align(tables: readonly Table[]): string[] {
  const widths = tables[0]!.header.map((_, column) =>
    Math.max(...tables.flatMap(({ header, rows }) => [header, ...rows].map((row) => row[column]!.length))),
  );
  const line = (row: readonly string[], left: readonly number[]) =>
    row
      .map((cell, column) => (left.includes(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd();
  return tables.flatMap(({ title, header, rows, left }) => [
    '',
    title,
    line(header, left),
    line(
      widths.map((width) => '-'.repeat(width)),
      left,
    ),
    ...rows.map((row) => line(row, left)),
  ]);
}

export function toText(results: Results): string {
  const { settings } = results;
  const tables = sectionsOf(results).map((section) => sectionTable(results, section));
  const groups = [tables, profileTables(results), growthTables(results.growth)];
  return [
    ...environmentLines(results.environment, results.complaints),
    `run: ${settings.size}, ${settings.warmup} warm-up and ${settings.rounds} timed rounds, ${results.seconds.toFixed(0)} s`,
    ...groups.filter((tables) => tables.length > 0).flatMap(align),
    '',
    results.verified ? 'every result was verified before it was timed' : 'SOME RESULTS ARE WRONG and were not timed',
  ].join('\n');
}

/** For a file name: the part of the adapter that decides what a run may be compared with. */
export const adapterClass = ({ vendor, architecture }: { readonly vendor: string; readonly architecture: string }): string =>
  [vendor, architecture]
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '') || 'unknown';
