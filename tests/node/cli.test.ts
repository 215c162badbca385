// The command line from end to end, as it is built: Node, headless Chrome, files.

import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseNpy, writeNpy } from '../../src/cli/npy.js';
import { ownFlow } from '../../src/flows/flow.js';
import { readSafetensors } from '../../src/format/safetensors.js';
import { loadFlow } from '../../src/index.js';
import { Random } from '../support/random.js';
import { ReferenceFlow } from '../support/reference-flow.js';
import { without } from '../support/without.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'pushforward-cli-'));
const cli = join(folder, 'dist/cli.js');
const at = (name: string) => join(folder, name);

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command. The folder of the call is the project's, where its peers are, unless another one is given. */
const run = (args: readonly string[], { cwd = root, env = {} }: { cwd?: string; env?: Record<string, string> } = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [cli, ...args], { cwd, env: { ...process.env, ...env } }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });

/** Runs a command that has to succeed. */
async function done(args: readonly string[]): Promise<Ended> {
  const ended = await run(args);
  expect(ended.err).not.toMatch(/^pushforward: /m);
  expect(ended.code).toBe(0);
  return ended;
}

const rowsOf = (csv: string): number[][] =>
  csv
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(',').map(Number));

beforeAll(async () => {
  const outDir = join(folder, 'dist');
  const quiet = { logLevel: 'error', root } as const;
  await build({ ...quiet, configFile: join(root, 'vite.config.ts'), build: { outDir, emptyOutDir: true } });
  await build({ ...quiet, configFile: join(root, 'vite.cli.config.ts'), build: { outDir } });
  writeFileSync(join(outDir, 'package.json'), '{"type": "module"}');
  const random = new Random(1);
  const lines = Array.from({ length: 300 }, (_, row) => {
    const hour = row % 24;
    const wind = hour / 2 + random.normal();
    return `Monday,${wind},${100 * wind * wind + 30 * random.normal()},${hour}`;
  });
  writeFileSync(at('data.csv'), `day,wind,power,hour\n${lines.join('\n')}\n`);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fit = (out: string, ...more: string[]) => [
  ...['fit', at('data.csv'), '--columns', 'wind,power', '--context-columns', 'hour', '--flow', 'nsf', '--layers', '1', '--hidden', '8'],
  ...['--steps', '30', '--batch', '64', '--seed', '3', '--out', at(out), ...more],
];
/** What compiles soonest. */
const fitMaf = (out: string, ...more: string[]) => fit(out, '--flow', 'maf', ...more);

describe('fit, then what it made', () => {
  let said: Ended[];
  beforeAll(async () => {
    said = await Promise.all([done(fit('flow.safetensors')), done(fit('again.safetensors', '--quiet'))]);
  });

  test('fit says how it goes in plain lines, and the same seed makes the same bytes', () => {
    const [loud, quiet] = said as [Ended, Ended];
    expect(loud.out + quiet.out).toBe('');
    expect(loud.err).toMatch(/^270 rows on .+; Ctrl-C ends training and keeps the best parameters\n/);
    expect(loud.err).toMatch(/^30\/30 steps, loss [\d.]+, validation [\d.]+, [\d.]+ steps\/s, 0 s left$/m);
    expect(loud.err).toMatch(/flow\.safetensors: nsf of 2 columns, loss [\d.]+ nats on 30 held-out rows\n$/);
    for (const control of ['\r', '\u001b']) expect(loud.err).not.toContain(control);
    expect(quiet.err).toMatch(/^\S+again\.safetensors: .+\n$/);
    const file = readFileSync(at('flow.safetensors'));
    expect(readFileSync(at('again.safetensors')).equals(file)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('score gives the log-density of every row', async () => {
    const { out, err } = await done(['score', at('flow.safetensors'), at('data.csv')]);
    const scores = rowsOf(out).map(([score]) => score!);
    const data = readFileSync(at('data.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.split(',').slice(1).map(Number));
    const flow = await loadFlow(without(), new Uint8Array(readFileSync(at('flow.safetensors'))));
    const exact = new ReferenceFlow(ownFlow('test', flow)).logProb(
      Float32Array.from(data.flatMap((row) => row.slice(0, 2))),
      Float32Array.from(data.map((row) => row[2]!)),
    );
    expect(scores).toHaveLength(300);
    for (const [row, score] of scores.entries()) expect(Math.abs(score - exact[row]!)).toBeLessThan(1e-4 * Math.abs(exact[row]!));
    const mean = exact.reduce((sum, value) => sum + value, 0) / 300;
    expect(Number(/^300 rows, mean log-density (\S+) nats$/m.exec(err)?.[1])).toBeCloseTo(mean, 3);
  });

  test('sample writes what its names end in', async () => {
    const draw = ['sample', at('flow.safetensors'), '--seed', '5', '--count', '40', '--log-prob'];
    writeFileSync(at('hours.csv'), 'hour\n3\n20\n');
    const [csv] = await Promise.all([
      done([...draw, '--context', 'hour=7']),
      done([...draw, '--context', 'hour=7', '--out', at('draws.npy')]),
      done([...draw, '--context', at('hours.csv'), '--out', at('draws.json')]),
    ]);
    expect(csv.out).toMatch(/^wind,power,log_prob\n/);
    const npy = parseNpy(new Uint8Array(readFileSync(at('draws.npy'))).buffer);
    expect([npy.rows, npy.columns.length]).toEqual([40, 3]);
    expect(Float32Array.from(rowsOf(csv.out).flat())).toEqual(Float32Array.from(npy.values));
    const json = JSON.parse(readFileSync(at('draws.json'), 'utf8')) as Record<string, number>[];
    expect(Object.keys(json[0]!)).toEqual(['wind', 'power', 'hour', 'log_prob']);
    expect(json.map(({ hour }) => hour)).toEqual([...Array(40).fill(3), ...Array(40).fill(20)]);
    // Their densities are those that score gives them.
    const { out } = await done(['score', at('flow.safetensors'), at('draws.json')]);
    for (const [row, [score]] of rowsOf(out).entries()) expect(score).toBeCloseTo(json[row]!.log_prob!, 3);
  });

  test('summary needs no GPU', async () => {
    const [table, json] = await Promise.all(
      [[], ['--json']].map((more) => run(['summary', at('flow.safetensors'), ...more], { cwd: folder })),
    );
    expect(table!.out).toMatch(/^columns: wind, power\ncontext: hour\n/);
    const all = /^all +([\d,]+) +([\d,]+) +(\d+) +([\d,]+) +(\d+)$/m
      .exec(table!.out)!
      .slice(1)
      .map((text) => Number(text.replaceAll(',', '')));
    const { columns, contextColumns, dim, contextDim, base, layers, parameters, forward, inverse } = JSON.parse(json!.out);
    expect({ columns, contextColumns, dim, contextDim, base }).toEqual({
      columns: ['wind', 'power'],
      contextColumns: ['hour'],
      dim: 2,
      contextDim: 1,
      base: 'standard_normal',
    });
    expect([parameters, forward.multiplyAdds, forward.dispatches, inverse.multiplyAdds, inverse.dispatches]).toEqual(all);
    expect(layers.reduce((sum: number, layer: { parameters: number }) => sum + layer.parameters, 0)).toBe(parameters);
  });

  test('Ctrl-C keeps what was trained', async () => {
    const child = spawn(process.execPath, [cli, ...fitMaf('early.safetensors', '--steps', '1000000')], { cwd: root });
    let err = '';
    // A second one would end it at once.
    child.stderr.once('data', () => setTimeout(() => child.kill('SIGINT'), 300));
    child.stderr.on('data', (piece) => {
      err += piece;
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(130);
    expect(err).toMatch(/early\.safetensors: maf of 2 columns after \d+ of 1000000 steps/);
    expect((await done(['summary', at('early.safetensors')])).out).toMatch(/^columns: wind, power\n/);
  });

  test('a run that was ended goes on to the bytes of one that was not, and only with its own data and options', async () => {
    const run300 = (out: string, ...more: string[]) => fitMaf(out, '--steps', '300', '--quiet', ...more);
    const child = spawn(process.execPath, [cli, ...run300('half.safetensors', '--checkpoint', at('half.run'))], { cwd: root });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // Written at the first look, a twentieth of the way.
    while (!existsSync(at('half.run')) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    const stopped = readFileSync(at('half.run'));
    const { loop } = JSON.parse(readSafetensors(new Uint8Array(stopped)).metadata['pushforward.training']!);
    expect(loop.taken).toBeLessThan(300);
    const [whole, half] = await Promise.all([
      done(run300('whole.safetensors', '--checkpoint', at('whole.run'))),
      done(run300('half.safetensors', '--resume', at('half.run'), '--checkpoint', at('half.run'))),
    ]);
    const bytes = readFileSync(at('whole.safetensors'));
    expect(readFileSync(at('half.safetensors')).equals(bytes)).toBe(true);
    expect(half.err.replaceAll('half', 'whole')).toBe(whole.err);
    // The state at the end, of which a run has nothing left to do.
    expect(readFileSync(at('half.run')).equals(readFileSync(at('whole.run')))).toBe(true);
    const over = await done(run300('over.safetensors', '--resume', at('half.run')));
    expect(readFileSync(at('over.safetensors')).equals(bytes)).toBe(true);
    expect(over.err.replaceAll('over', 'whole')).toBe(whole.err);
    writeFileSync(at('moved.csv'), readFileSync(at('data.csv'), 'utf8').replace(/^Monday,\d/m, 'Monday,7'));
    const moved = run300('never.safetensors', '--resume', at('half.run')).map((arg) => (arg === at('data.csv') ? at('moved.csv') : arg));
    const refused: [readonly string[], string][] = [
      [moved, `${at('half.run')} is of a run on other rows than those of ${at('moved.csv')}, or that held out others`],
      [
        run300('never.safetensors', '--resume', at('half.run'), '--flow', 'nice'),
        `${at('half.run')} is of a run with flow maf; this one has nice`,
      ],
      [
        run300('never.safetensors', '--resume', at('half.run'), '--steps', '301'),
        'fit: resume: needs steps 300, as the run that was saved has; got 301',
      ],
      [
        run300('never.safetensors', '--resume', at('flow.safetensors')),
        `${at('flow.safetensors')} is no checkpoint, as fit --checkpoint writes one`,
      ],
    ];
    for (const [args, sentence] of refused) {
      const { code, err } = await run(args);
      expect(err).toContain(`pushforward: ${sentence}`);
      expect(code).toBe(1);
    }
  });

  test('a file that does not fit the flow is refused by name', async () => {
    writeFileSync(at('narrow.npy'), Buffer.concat([...writeNpy({ columns: ['x'], rows: 2, values: Float32Array.of(1, 2) })]));
    writeFileSync(at('other.csv'), 'wind,speed,hour\n1,2,3\n');
    const score = (name: string) => run(['score', at('flow.safetensors'), at(name)]);
    const [narrow, other, context] = await Promise.all([score('narrow.npy'), score('other.csv'), run(['sample', at('flow.safetensors')])]);
    expect(narrow).toMatchObject({
      code: 1,
      err: expect.stringMatching(/narrow\.npy has 1 column; \S+ needs 3: “wind”, “power”, “hour”\n$/),
    });
    expect(other).toMatchObject({
      code: 1,
      err: expect.stringMatching(/other\.csv has no column “power”; it has “wind”, “speed”, “hour”\n$/),
    });
    expect(context).toMatchObject({
      code: 2,
      err: expect.stringMatching(/is conditional: --context needs a file, or hour=1 with numbers of yours\n$/),
    });
  });
});

describe('what is wrong ends with one sentence', () => {
  const files: Record<string, string> = {
    'ragged.csv': 'a,b\n1,2\n3\n',
    'word.csv': 'a,b\n1,2\n3,x\n',
    'nan.csv': 'a,b\n1,2\n3,NaN\n',
    'empty.csv': '',
    'few.csv': 'a,b\n1,2\n',
    'same.csv': `a,b\n${'1,2\n3,2\n'.repeat(6)}`,
    'table.xls': 'a,b\n1,2\n',
    'noise.npy': 'not an array of numbers',
    'noise.json': '[[1, 2], [3, "q"]]',
  };
  const to = ['--out', at('never.safetensors')];
  beforeAll(() => {
    for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
  });

  test.each<[string, readonly string[], number, string]>([
    ['no such file', ['fit', at('nowhere.csv'), ...to], 1, `${at('nowhere.csv')} does not exist`],
    ['ragged rows', ['fit', at('ragged.csv'), ...to], 1, `${at('ragged.csv')}: row 3 has 1 cell; row 1 has 2.`],
    ['a word', ['fit', at('word.csv'), ...to], 1, `${at('word.csv')}: row 3, column “b” holds “x”, which is not a finite number`],
    ['NaN', ['fit', at('nan.csv'), ...to], 1, `${at('nan.csv')}: row 3, column “b” holds “NaN”`],
    ['an empty file', ['fit', at('empty.csv'), ...to], 1, `${at('empty.csv')}: the file is empty`],
    ['too few rows', ['fit', at('few.csv'), ...to], 1, `${at('few.csv')} has 1 row; a flow needs 10 at least`],
    ['a column that is one number', ['fit', at('same.csv'), ...to], 1, `${at('same.csv')}: column “b” holds one number throughout`],
    [
      'an ending it does not know',
      ['fit', at('table.xls'), ...to],
      1,
      `${at('table.xls')} does not end in .csv, .tsv, .txt, .json or .npy`,
    ],
    ['no .npy', ['fit', at('noise.npy'), ...to], 1, `${at('noise.npy')}: this is no .npy file`],
    ['JSON with a word', ['fit', at('noise.json'), ...to], 1, `${at('noise.json')}: row 2, column “column 2” holds "q"`],
    [
      'no such column',
      ['fit', at('data.csv'), '--columns', 'wind,rain', ...to],
      1,
      `${at('data.csv')} has no column “rain”; it has “day”, “wind”`,
    ],
    [
      'no such folder',
      ['fit', at('data.csv'), '--out', at('no/flow')],
      1,
      `--out ${at('no/flow')} cannot be written: ${at('no')} does not exist`,
    ],
    ['no flow', ['summary', at('data.csv')], 1, `${at('data.csv')} is no flow that this package saved`],
    ['no such flow', ['fit', at('data.csv'), '--flow', 'glow', ...to], 2, '--flow takes maf, iaf, nice, realnvp or nsf; got glow'],
    ['no --out', ['fit', at('data.csv')], 2, 'fit needs --out FILE'],
    [
      'one file for two',
      ['fit', at('data.csv'), '--checkpoint', at('never.safetensors'), ...to],
      2,
      '--checkpoint and --out need a file each',
    ],
    [
      'no such checkpoint',
      ['fit', at('data.csv'), '--columns', 'wind', '--resume', at('no.run'), ...to],
      1,
      `${at('no.run')} does not exist`,
    ],
    ['no file', ['score', 'flow.safetensors'], 2, 'score needs the file of a flow and a file of data; got flow.safetensors'],
    ['a number that is none', ['fit', at('data.csv'), '--steps', 'ten', ...to], 2, '--steps needs a whole number of at least 1; got ten'],
    ['an unknown option', ['fit', at('data.csv'), '--step', '10', ...to], 2, 'fit has no option --step;'],
    ['an unknown command', ['train'], 2, 'no command train; there are fit, sample, score, summary'],
  ])('%s', async (_, args, code, sentence) => {
    const ended = await run(args);
    expect(ended.err.slice(0, `pushforward: ${sentence}`.length)).toBe(`pushforward: ${sentence}`);
    expect(ended.err.trim()).not.toContain('\n');
    expect([ended.code, ended.out]).toEqual([code, '']);
    expect(() => statSync(at('never.safetensors'))).toThrow('ENOENT');
  });

  test('help of every command', async () => {
    const helps = await Promise.all([['--help'], ...['fit', 'sample', 'score', 'summary'].map((name) => [name, '--help'])].map(done));
    for (const { out } of helps) expect(out).toMatch(/^pushforward .+\n {2}\S/);
    expect(helps[1]!.out).toMatch(/--flow NAME +maf, iaf, nice, realnvp or nsf \(default nsf\)/);
  });
});

describe('without WebGPU', () => {
  const sample = (engine: string) => ['sample', at('flow.safetensors'), '--context', 'hour=1', '--engine', engine];

  test('nothing that brings it', async () => {
    const { code, err } = await run(sample('auto'), { cwd: folder });
    expect(code).toBe(1);
    expect(err).toContain('the package webgpu is not installed; the package puppeteer-core is not installed');
    expect(err).toContain('`npm install puppeteer-core @sparticuz/chromium`');
  });

  /** Stands in for the package webgpu where a machine has no driver that works. */
  test.each([
    ['no adapter', 'export const create = () => ({ requestAdapter: async () => null });', 'the package webgpu finds no adapter'],
    ['a driver that aborts', 'export const create = () => process.abort();', 'the package webgpu aborts in its first work (SIGABRT)'],
    ['a package that throws', 'export const create = () => { throw new Error("no"); };', 'the package webgpu does not start'],
  ])('%s', async (name, module, sentence) => {
    const cwd = at(name.replaceAll(' ', '-'));
    const home = join(cwd, 'node_modules/webgpu');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{"name": "webgpu", "type": "module", "exports": "./index.js"}');
    writeFileSync(join(home, 'index.js'), module);
    const { code, err } = await run(sample('node'), { cwd });
    expect(err).toContain(`pushforward: no WebGPU here (${sentence}`);
    expect(code).toBe(1);
  });
});
