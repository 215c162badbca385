// Runs bench/ in a headless browser, or in Node, and prints its table; see bench/README.md.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { baselineFile, readBaseline } from './bench-baseline.mjs';
import { benchmarkInNode } from './bench-node.mjs';
import { onPage } from './bench-page.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sections = ['start-up', 'ceilings', 'masked-linear', 'maf', 'growth', 'directions', 'small', 'frame', 'beside'];

/** What asks a browser for its heap, or runs libraries that are written for pages. */
const ofPages = ['frame', 'beside'];

const usage = `npm run bench -- [options]

  --quick              fewer rounds and sizes
  --tiny               the smoke test's sizes: every path, figures of no value
  --rounds <n>         timed rounds of each measurement
  --only <sections>    comma-separated, of ${sections.join(', ')}
  --tasks <word>       beside: only tasks with this in their name: linear, MAF, RealNVP, spline
  --passes <n>         beside: network passes of the others' sampling that are timed and scaled up; 64 for all of them
  --node               in Node, on what the package webgpu finds (Dawn); without frame and beside, which need a page
  --json               write bench/results/<adapter>-<date>.json
  --out <file>         write the JSON there
  --compare <file>     print this run beside an earlier one's JSON
  --baseline           print this run beside the baseline of the adapter's class
  --save-baseline      make this run that baseline
  --baselines <folder> where baselines are, default bench/baseline
  --help

The browser is chosen as for the tests: PUSHFORWARD_BROWSER, PUSHFORWARD_GPU=hardware (scripts/browser.mjs).`;

/** Arguments, or an exit with one sentence. */
function readArguments() {
  try {
    const flag = { type: 'boolean', default: false };
    const text = { type: 'string' };
    const { values } = parseArgs({
      options: {
        quick: flag,
        tiny: flag,
        rounds: text,
        only: text,
        tasks: text,
        passes: text,
        node: flag,
        json: flag,
        out: text,
        compare: text,
        baseline: flag,
        'save-baseline': flag,
        baselines: { type: 'string', default: join(root, 'bench/baseline') },
        help: flag,
      },
    });
    const whole = (name) => {
      if (values[name] === undefined) return undefined;
      const value = Number(values[name]);
      if (!(Number.isInteger(value) && value >= 1)) throw new Error(`--${name} takes a whole number from 1; got ${values[name]}`);
      return value;
    };
    const only = values.only?.split(',') ?? (values.node ? sections.filter((name) => !ofPages.includes(name)) : undefined);
    const unknown = only?.find((name) => !sections.includes(name));
    if (unknown !== undefined) throw new Error(`--only takes ${sections.join(', ')}; got ${unknown}`);
    const pages = values.node && only.find((name) => ofPages.includes(name));
    if (pages) throw new Error(`--node has no page, which ${pages} needs`);
    const narrowed = ['only', 'tasks', 'rounds', 'passes', 'node'].find((name) => values[name] !== undefined && values[name] !== false);
    if (values['save-baseline'] && narrowed) throw new Error(`--save-baseline takes a whole run as its size has it; got --${narrowed}`);
    if (values.baseline && values.compare !== undefined) throw new Error('--baseline and --compare each name an earlier run; give one');
    const size = values.tiny ? 'tiny' : values.quick ? 'quick' : 'full';
    return { ...values, size, only, rounds: whole('rounds'), passes: whole('passes') };
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

/** Short hash of HEAD, with a + where the library differs from it; undefined outside a checkout. */
function commit() {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('--no-optional-locks', 'status', '--porcelain', '--', 'src', 'shaders') ? '+' : '');
  } catch {
    return undefined;
  }
}

function write(file, results) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`written: ${relative(process.cwd(), file)}`);
}

const options = readArguments();
if (options.help) {
  console.log(usage);
  process.exit(0);
}
const { size, only, rounds, passes, tasks } = options;

/** One run, given the two functions of bench/src/answer.ts wherever they are. */
async function runOnce(ownAdapterClass, answer) {
  const adapter = await ownAdapterClass();
  const compare = options.baseline
    ? readBaseline(options.baselines, adapter, size)
    : options.compare === undefined
      ? undefined
      : JSON.parse(readFileSync(options.compare, 'utf8'));
  // Undefined values do not travel.
  const given = JSON.parse(JSON.stringify({ size, rounds, only, passes, tasks, commit: commit(), compare }));
  const { results, text, fileName } = await answer(given);
  console.log(text);
  if (options.json || options.out !== undefined)
    write(options.out === undefined ? join(root, 'bench/results', fileName) : resolve(options.out), results);
  const sound = results.verified && results.complaints.length === 0;
  if (!sound) process.exitCode = 1;
  if (options['save-baseline']) {
    if (!sound) throw new Error('no baseline was written: some results are wrong, or the device complained');
    write(baselineFile(options.baselines, adapter), results);
  }
}

if (options.node) {
  try {
    const { answer, ownAdapterClass } = await benchmarkInNode();
    await runOnce(ownAdapterClass, (given) => answer(given, (text) => console.error(text)));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
  // Dawn's threads would keep the process.
  process.exit();
}

await onPage({ global: 'runPushforwardBenchmark' }, async (page) => {
  const session = await page.createCDPSession();
  await page.exposeFunction('heapBytes', async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = await session.send('Runtime.getHeapUsage');
    return usedSize + embedderHeapUsedSize + backingStorageSize;
  });
  await runOnce(
    () => page.evaluate(() => window.benchmarkAdapterClass()),
    (given) => page.evaluate((input) => window.runPushforwardBenchmark(input), given),
  );
});
