// The benchmark from end to end on sizes that mean nothing: every section runs, is right, and writes a file of the stated form.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import schema from '../../bench/schema.json';
import { type Results, within } from '../../bench/src/results.js';
import { sectionNames } from '../../bench/src/settings.js';
import { fitPower, quantile, summarize } from '../../bench/src/statistics.js';
import { type Schema, validate } from '../../src/format/schema.js';

const script = fileURLToPath(new URL('../../scripts/bench.mjs', import.meta.url));
const beside = fileURLToPath(new URL('../../scripts/bench-beside.mjs', import.meta.url));

describe('npm run bench', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pushforward-bench-'));
  let results: Results;
  let text: string;

  beforeAll(async () => {
    const file = join(folder, 'results.json');
    text = (await promisify(execFile)(process.execPath, [script, '--tiny', '--out', file])).stdout;
    results = JSON.parse(readFileSync(file, 'utf8')) as Results;
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('writes what bench/schema.json states', () => validate(schema as Schema, results, 'results'));

  test('times every section, and only what is right', () => {
    expect([...new Set(results.rows.map(({ section }) => section))]).toEqual([...sectionNames]);
    expect(results.complaints).toEqual([]);
    expect(results.verified).toBe(true);
    for (const { section, name, time, errors } of results.rows) {
      expect(time, `${section}: ${name}`).not.toBeNull();
      for (const error of errors) expect(within(error), `${section}: ${name}: ${error.of}`).toBe(true);
    }
  });

  test('names each row once, so that runs can be compared', () => {
    const names = results.rows.map(({ section, name }) => `${section}: ${name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  test('prints the table', () => {
    for (const { name } of results.rows) expect(text).toContain(name);
  });
});

test('npm run bench:beside finds the same samples in four libraries, and times all five ways', async () => {
  const call = [beside, '--size', 'tiny', '--rounds', '1', '--passes', '6', '--only', 'MAF sampling'];
  const { stdout } = await promisify(execFile)(process.execPath, call);
  // Name, version, milliseconds, 10th and 90th percentile, times ours, middle half, 6 of 6 passes, first, difference.
  const lines = stdout.split('\n').filter((line) => /^\S.* \d+\.\d+\.\d+.* {2}[\d.]+ {2}/.test(line));
  expect(lines).toHaveLength(5);
  for (const line of lines.slice(1)) {
    expect(line).toContain('6 of 6');
    expect(Number(line.split(/\s+/).at(-1))).toBeLessThan(1e-5);
  }
});

describe('statistics', () => {
  test('quantiles are linear between neighbours', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(summarize([5, 1, 3])).toEqual({ median: 3, p10: 1.4, p90: 4.6, min: 1, n: 3 });
    expect(summarize([7])).toEqual({ median: 7, p10: 7, p90: 7, min: 7, n: 1 });
  });

  test('the fit finds the exponent of a power law', () => {
    const x = [8, 16, 64, 512];
    const { exponent, r2 } = fitPower(
      x,
      x.map((value) => 3 * value ** 1.5),
    );
    expect(exponent).toBeCloseTo(1.5, 12);
    expect(r2).toBeCloseTo(1, 12);
  });
});
