// Results as text: the same cells for the terminal and for the page.

import type { Environment, Growth, Results, Row, TaskProfile } from './results.js';
import type { SectionName } from './settings.js';

export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns that read better from the left; the others are numbers. */
  readonly left: readonly number[];
}

const titles: Readonly<Record<SectionName, string>> = {
  ceilings: 'Ceilings of the adapter',
  compile: 'Building and compiling the MAF',
  'masked-linear': 'Masked linear layer',
  maf: 'Masked autoregressive flow',
  growth: 'Growth with the number of features, one layer',
  directions: 'Both directions of autoregressive layers',
  small: 'Small flow: realNVP',
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

const figureNames: Readonly<Record<string, string>> = {
  dim: 'D',
  maskedFlops: 'masked FLOPs',
  solveFlops: 'FLOPs of the solve',
  passes: 'D × logProb (D passes)',
};

const header = ['', 'median ms', 'p10', 'p90', 'min', 'n', 'rate', 'of FMA', 'ratio', 'error (float64)', 'note'];

const cells = (row: Row): string[] => [
  row.name,
  ...(row.time ? [row.time.median, row.time.p10, row.time.p90, row.time.min].map(short) : ['WRONG', '', '', '']),
  row.time ? String(row.time.n) : '',
  row.rate ? rate(row.rate) : '',
  row.ofCeiling === null ? '' : `${(100 * row.ofCeiling).toFixed(0)} %`,
  row.ratio === null ? '' : `${row.ratio.value.toFixed(2)} × ${row.ratio.to}`,
  row.errors.map(({ of, value, limit }) => `${of} ${short(value)}${value <= limit ? '' : ` > ${short(limit)}`}`).join(', '),
  row.note,
];

export function resultTables({ rows }: Results): Table[] {
  const sections = [...new Set(rows.map(({ section }) => section))];
  return sections.map((section) => ({
    title: titles[section],
    header,
    rows: rows.filter((row) => row.section === section).map(cells),
    left: [0, 9, 10],
  }));
}

export const profileTables = (profiles: readonly TaskProfile[]): Table[] =>
  profiles.map(({ task, method, kernels }) => ({
    title: `Kernels of ${task} (Flow.profile, ${method})`,
    header: ['kernel', 'dispatches', 'ms', 'share'],
    rows: kernels.map(({ kernel, dispatches, milliseconds, share }) => [
      kernel,
      String(dispatches),
      short(milliseconds),
      `${(100 * share).toFixed(1)} %`,
    ]),
    left: [0],
  }));

export const growthTables = (growth: Growth | null): Table[] =>
  growth === null
    ? []
    : [
        {
          title: 'Growth: time = constant × work^exponent',
          header: ['', 'against', 'exponent', 'R²'],
          rows: growth.fits.map(({ of, against, exponent, r2 }) => [
            figureNames[of] ?? of,
            figureNames[against] ?? against,
            exponent.toFixed(2),
            r2.toFixed(3),
          ]),
          left: [0, 1],
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
function align(tables: readonly Table[]): string[] {
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
  const groups = [resultTables(results), profileTables(results.profiles), growthTables(results.growth)];
  return [
    ...environmentLines(results.environment, results.complaints),
    `run: ${settings.size}, ${settings.warmup} warm-up and ${settings.rounds} timed rounds, ${results.seconds.toFixed(0)} s`,
    ...groups.filter((tables) => tables.length > 0).flatMap(align),
    '',
    results.verified ? 'every result was verified before it was timed' : 'SOME RESULTS ARE WRONG and were not timed',
  ].join('\n');
}

const multiplyAdds = (results: Results, section: SectionName): number | null =>
  (
    results.rows.find((row) => row.section === section && row.name.startsWith('multiply-adds')) ??
    results.rows.find((row) => row.name.startsWith('multiply-adds'))
  )?.rate?.value ?? null;

/**
 * This run beside an earlier one: time now / time then, and the same with both times in units of the adapter's multiply-adds in the same
 * rounds, which takes out a machine's slow drift and brings in their own scatter.
 */
export function compareText(now: Results, then: Results): string {
  const rows: string[][] = [];
  for (const row of now.rows) {
    const other = then.rows.find(({ section, name }) => section === row.section && name === row.name);
    if (!row.time || !other?.time) continue;
    const ratio = row.time.median / other.time.median;
    const [rateNow, rateThen] = [multiplyAdds(now, row.section), multiplyAdds(then, row.section)];
    const apart = row.time.p10 > other.time.p90 ? 'slower' : row.time.p90 < other.time.p10 ? 'faster' : '';
    rows.push([
      `${row.section}: ${row.name}`,
      short(other.time.median),
      short(row.time.median),
      ratio.toFixed(2),
      row.ofCeiling !== null && rateNow && rateThen ? (ratio * (rateNow / rateThen)).toFixed(2) : '',
      apart,
    ]);
  }
  const { adapter, date } = then.environment;
  const sizes = now.settings.size === then.settings.size ? '' : `, ANOTHER SIZE (${then.settings.size})`;
  const title = `Against ${date}, ${adapter.vendor} ${adapter.architecture}${sizes} (p10 to p90 apart: slower, faster)`;
  return align([{ title, header: ['', 'ms then', 'ms now', 'now / then', 'per FMA', ''], rows, left: [0, 5] }]).join('\n');
}

/** For a file name: the part of the adapter that decides what a run may be compared with. */
export const adapterClass = ({ adapter }: Environment): string =>
  [adapter.vendor, adapter.architecture]
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '') || 'unknown';
