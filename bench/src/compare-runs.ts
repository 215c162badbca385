// Two runs side by side.

import { align, short } from './report.js';
import type { Results, Row } from './results.js';
import type { SectionName } from './settings.js';

const multiplyAdds = (results: Results, section: SectionName): number | null =>
  (
    results.rows.find((row) => row.section === section && row.name.startsWith('multiply-adds')) ??
    results.rows.find((row) => row.name.startsWith('multiply-adds'))
  )?.rate?.value ?? null;

const titleOf = ({ section, name }: Row): string => `${section}: ${name}`;

/**
 * This run beside an earlier one: time now / time then, and the same with both times in units of the adapter's multiply-adds in the same
 * rounds, which takes out a machine's slow drift and brings in their own scatter.
 */
export function compareText(now: Results, then: Results): string {
  const rows: string[][] = [];
  const ratios: number[] = [];
  const count = { slower: 0, faster: 0 };
  for (const row of now.rows) {
    const other = then.rows.find(({ section, name }) => section === row.section && name === row.name);
    if (!row.time || !other?.time) continue;
    const ratio = row.time.median / other.time.median;
    const [rateNow, rateThen] = [multiplyAdds(now, row.section), multiplyAdds(then, row.section)];
    const apart = row.time.p10 > other.time.p90 ? 'slower' : row.time.p90 < other.time.p10 ? 'faster' : '';
    if (apart) count[apart]++;
    ratios.push(ratio);
    rows.push([
      titleOf(row),
      short(other.time.median),
      short(row.time.median),
      ratio.toFixed(2),
      row.ofCeiling !== null && rateNow && rateThen ? (ratio * (rateNow / rateThen)).toFixed(2) : '',
      apart,
    ]);
  }
  if (rows.length === 0) return 'The runs have no timed row in common.';
  const { adapter, date, commit } = then.environment;
  const sizes = now.settings.size === then.settings.size ? '' : `, ANOTHER SIZE (${then.settings.size})`;
  const title = `Against ${date}, ${commit ?? 'no commit'}, ${adapter.vendor} ${adapter.architecture}${sizes} (p10 to p90 apart: slower, faster)`;
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  const known = new Set(then.rows.map(titleOf));
  const added = now.rows.map(titleOf).filter((name) => !known.has(name));
  return [
    ...align([{ title, header: ['', 'ms then', 'ms now', 'now / then', 'per FMA', ''], rows, left: [0, 5] }]),
    '',
    `${rows.length} rows: ${count.slower} slower, ${count.faster} faster, ${rows.length - count.slower - count.faster} within their scatter; geometric mean of now / then ${mean.toFixed(2)}`,
    ...(added.length > 0 ? [`not in the earlier run: ${added.join('; ')}`] : []),
  ].join('\n');
}
