// Trains the same flows with this library, jax-js and TensorFlow.js in one headless browser and prints the time of a step; see bench/README.md.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { onPage } from './bench-page.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const versionOf = (name) => JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8')).version;
const versions = {
  pushforward: versionOf('.'),
  'jax-js': versionOf('node_modules/@jax-js/jax'),
  'TensorFlow.js': versionOf('node_modules/@tensorflow/tfjs-core'),
};

const usage = `npm run bench:training -- [options]

  --rounds <n>     timed rounds, default 11
  --target <ms>    a timed block of steps takes about so long, default 1000
  --only <word>    the problems whose name has this word: RealNVP, MAF
  --json           write bench/results/training-<adapter>-<date>.json
  --out <file>     write the JSON there
  --help

The browser is chosen as for the tests: PUSHFORWARD_BROWSER, PUSHFORWARD_GPU=hardware (scripts/browser.mjs).`;

/** Arguments, or an exit with one sentence. */
function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '11' },
        target: { type: 'string', default: '1000' },
        only: { type: 'string', default: '' },
        json: { type: 'boolean', default: false },
        out: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const [rounds, target] = [Number(values.rounds), Number(values.target)];
    if (!(Number.isInteger(rounds) && rounds >= 1)) throw new Error(`--rounds takes a whole number from 1; got ${values.rounds}`);
    if (!(target > 0)) throw new Error(`--target takes milliseconds above 0; got ${values.target}`);
    return { ...values, rounds, target };
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

/** Columns as wide as they need, the first from the left. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')).join('\n');
}

const short = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

function print({ problem, losses, difference, timings, wrong }) {
  const ours = losses.pushforward;
  console.log(`\n${problem}`);
  console.log(
    `loss ${ours[0].toFixed(4)} at the start, ${ours.at(-1).toFixed(4)} after ${ours.length - 1} steps; the others differ by at most ${Math.max(...Object.values(difference)).toExponential(1)}`,
  );
  for (const sentence of wrong) console.error(sentence);
  if (!timings) return;
  const header = ['', 'ms a step', 'p10', 'p90', 'min', 'steps/s', '× ours', 'middle half', 'block', 'first loss, s'];
  const lines = timings.map(({ library, time, block, first, ratio }) => [
    `${library} ${versions[library]}`,
    ...[time.median, time.p10, time.p90, time.min].map(short),
    short(1000 / time.median),
    ratio.median.toFixed(2),
    `${ratio.p25.toFixed(2)}–${ratio.p75.toFixed(2)}`,
    String(block),
    (first / 1000).toFixed(1),
  ]);
  console.log(table([header, ...lines]));
}

/** Writes a result to `out`, or under bench/results. */
function write(out, { adapter, ...result }) {
  const date = new Date().toISOString();
  const slug = adapter
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .slice(0, 2)
    .join('-');
  const file = out ? resolve(out) : join(root, `bench/results/training-${slug}-${date.slice(0, 19).replaceAll(':', '')}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ date, adapter, versions, ...result }, null, 2)}\n`);
  console.log(`\nwritten: ${relative(process.cwd(), file)}`);
}

const { help, rounds, target, only, json, out } = readArguments();
if (help) {
  console.log(usage);
  process.exit(0);
}

await onPage({ path: 'training/', global: 'compareTraining' }, async (page) => {
  const known = await page.evaluate(() => window.trainingProblems);
  const chosen = [...known.keys()].filter((index) => known[index].toLowerCase().includes(only.toLowerCase()));
  if (chosen.length === 0) throw new Error(`--only takes a word of ${known.map((name) => `"${name}"`).join(' or ')}; got ${only}`);
  const { adapter, software } = await page.evaluate(() => window.describeAdapter());
  const machine = { cores: cpus().length, loadBefore: loadavg()[0] };
  console.log(`adapter: ${adapter}${software ? '; a SOFTWARE ADAPTER: the CPU computes' : ''}`);
  console.log(`load average ${machine.loadBefore.toFixed(1)} on ${machine.cores} cores before the run`);
  console.log(`plain gradient descent on all rows, the same initial weights and data; ${rounds} rounds, the libraries in turn`);
  const comparisons = [];
  for (const index of chosen) {
    const settings = { rounds, target, checked: 8 };
    const comparison = await page.evaluate((...call) => window.compareTraining(...call), index, settings);
    print(comparison);
    comparisons.push(comparison);
    if (comparison.wrong.length > 0) process.exitCode = 1;
  }
  if (json || out) write(out, { adapter, software, machine, rounds, comparisons });
});
