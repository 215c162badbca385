// The benchmark from end to end on sizes that mean nothing: every section runs, is right, and writes a file of the stated form.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import schema from '../../bench/schema.json';
import { compareText } from '../../bench/src/compare-runs.js';
import { type Results, within } from '../../bench/src/results.js';
import { sectionNames } from '../../bench/src/settings.js';
import { fitPower, quantile, summarize } from '../../bench/src/statistics.js';
import { readBaseline } from '../../scripts/bench-baseline.mjs';
import { type Schema, validate } from '../../src/format/schema.js';

const script = fileURLToPath(new URL('../../scripts/bench.mjs', import.meta.url));

const bench = async (...args: string[]): Promise<string> => (await promisify(execFile)(process.execPath, [script, ...args])).stdout;

/** What it says and its status, where no package is installed. */
async function refusalOf(...args: string[]): Promise<readonly [code: number, text: string]> {
  const empty = mkdtempSync(join(tmpdir(), 'pushforward-bench-'));
  try {
    await promisify(execFile)(process.execPath, [script, ...args], { cwd: empty });
    return [0, ''];
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return [code, stderr];
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
}

describe('npm run bench', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pushforward-bench-'));
  let results: Results;
  let text: string;

  beforeAll(async () => {
    const file = join(folder, 'results.json');
    text = await bench('--tiny', '--out', file, '--save-baseline', '--baselines', folder);
    results = JSON.parse(readFileSync(file, 'utf8')) as Results;
    // All sections compile what they time: a minute on two cores, twice that beside another test.
  }, 240_000);

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

  test('finds the same samples in four libraries, in all passes', () => {
    const rows = results.rows.filter(({ section }) => section === 'beside');
    expect(rows).toHaveLength(5);
    for (const { name, errors, note } of rows) {
      expect(errors.length, name).toBe(name.endsWith(': pushforward') ? 1 : 2);
      for (const { of, value } of errors) expect(value, `${name}: ${of}`).toBeLessThan(1e-5);
      expect(note).not.toContain('passes timed');
    }
  });

  test('grows every size, and knows the exponents of the arithmetic', () => {
    expect(results.growth.map(({ axis }) => axis)).toEqual(['D', 'hidden', 'batch', 'layers']);
    for (const { axis, fits } of results.growth)
      for (const { of, arithmetic } of fits)
        if (axis === 'batch' || (axis === 'layers' && of !== 'sample')) expect(arithmetic, `${axis}, ${of}`).toBeCloseTo(1, 12);
  });

  test('a recorded draw makes nothing on the device, and keeps nothing in the heap', () => {
    for (const { name, errors } of results.rows.filter(({ section }) => section === 'frame'))
      expect(
        errors.map(({ of }) => of),
        name,
      ).toEqual(['objects made', 'GPU bytes kept', 'heap bytes kept a frame']);
  });

  test("a baseline is of the adapter's class, and of one size", () => {
    const { vendor, architecture } = results.environment.adapter;
    const adapter = `${vendor}-${architecture}`;
    expect(readBaseline(folder, adapter, 'tiny')).toEqual(results);
    expect(() => readBaseline(folder, adapter, 'quick')).toThrow('is a run of size tiny, this one is quick');
    writeFileSync(join(folder, 'older.json'), JSON.stringify({ ...results, schema: 1 }));
    expect(() => readBaseline(folder, 'older', 'tiny')).toThrow('has the form 1, this is 2');
    expect(() => readBaseline(folder, 'another', 'tiny')).toThrow('there is no baseline');
  });

  test('a comparison says what became slower, and what is new', () => {
    const [first, second, ...others] = results.rows;
    const { median } = first!.time!;
    const slow = { ...first!, time: { median: 3 * median, p10: 2.9 * median, p90: 3.1 * median, min: 2.9 * median, n: 3 } };
    const then = { ...results, rows: [first!, ...others] };
    const text = compareText({ ...results, rows: [slow, second!, ...others] }, then);
    expect(text).toMatch(new RegExp(`${first!.name}.* 3\\.00 .*slower$`, 'm'));
    expect(text).toContain(`${others.length + 1} rows: 1 slower, 0 faster, ${others.length} within their scatter`);
    expect(text).toContain(`not in the earlier run: ${second!.section}: ${second!.name}`);
  });
});

describe('npm run bench -- --node', () => {
  test('says how to install what it runs on', async () => {
    const [code, text] = await refusalOf('--node', '--tiny');
    expect(code).toBe(1);
    expect(text).toContain('npm install --no-save webgpu');
  });

  test('refuses what needs a page, and to be a baseline', async () => {
    const [code, text] = await refusalOf('--node', '--only', 'masked-linear,beside');
    expect(code).toBe(2);
    expect(text).toContain('--node has no page, which beside needs');
    expect((await refusalOf('--node', '--save-baseline'))[1]).toContain('--save-baseline takes a whole run as its size has it; got --node');
  });
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
