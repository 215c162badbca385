// Runs the same tasks in this library and in three others in one headless browser and prints their times; see bench/README.md.
import { parseArgs } from 'node:util';
import { onPage } from './bench-page.mjs';
import { introduce, short, table, versions, writeResult } from './bench-words.mjs';

const usage = `npm run bench:beside -- [options]

  --rounds <n>     timed rounds, default 5
  --passes <n>     network passes of the others' sampling that are timed and scaled up, default 4; 64 for all of them
  --only <word>    the tasks whose name has this word: linear, MAF, RealNVP, spline
  --size tiny      small sizes, for a test
  --json           write bench/results/beside-<adapter>-<date>.json
  --out <file>     write the JSON there
  --help

The browser is chosen as for the tests: PUSHFORWARD_BROWSER, PUSHFORWARD_GPU=hardware (scripts/browser.mjs).`;

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '5' },
        passes: { type: 'string', default: '4' },
        only: { type: 'string', default: '' },
        size: { type: 'string', default: 'full' },
        json: { type: 'boolean', default: false },
        out: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const [rounds, passes] = [Number(values.rounds), Number(values.passes)];
    if (!(Number.isInteger(rounds) && rounds >= 1)) throw new Error(`--rounds takes a whole number from 1; got ${values.rounds}`);
    if (!(Number.isInteger(passes) && passes >= 1)) throw new Error(`--passes takes a whole number from 1; got ${values.passes}`);
    if (!['full', 'tiny'].includes(values.size)) throw new Error(`--size takes full or tiny; got ${values.size}`);
    return { ...values, rounds, passes };
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

function print({ problem, about, timings, wrong }) {
  console.log(`\n${problem}: ${about}`);
  for (const sentence of wrong) console.error(sentence);
  if (!timings) return;
  const header = ['', 'ms', 'p10', 'p90', '× ours', 'middle half', 'passes timed', 'first, s', 'difference'];
  const lines = timings.map(({ library, time, ratio, passes, first, difference }) => {
    const [name, ...rest] = library.split(', ');
    return [
      [`${name} ${versions[name]}`, ...rest].join(', '),
      ...[time.median, time.p10, time.p90].map(short),
      short(ratio.median),
      `${short(ratio.p25)}–${short(ratio.p75)}`,
      passes[1] === 1 ? '' : `${passes[0]} of ${passes[1]}`,
      (first / 1000).toFixed(1),
      difference === 0 ? '' : difference.toExponential(1),
    ];
  });
  console.log(table([header, ...lines]));
}

const options = readArguments();
if (options.help) {
  console.log(usage);
  process.exit(0);
}

const include = ['@jax-js/jax', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu', 'protobufjs/light'];
await onPage({ path: 'beside/', global: 'compareBeside', include }, async (page) => {
  const names = await page.evaluate((size) => window.besideProblems(size), options.size);
  const chosen = names.filter((name) => name.toLowerCase().includes(options.only.toLowerCase()));
  if (chosen.length === 0) throw new Error(`--only takes a word of ${names.map((name) => `"${name}"`).join(' or ')}; got ${options.only}`);
  const about = await introduce(page);
  console.log(`the same weights and inputs, results on the host at the end of every call; ${options.rounds} rounds, the libraries in turn`);
  const comparisons = [];
  for (const name of chosen) {
    const { size, rounds, passes } = options;
    const comparison = await page.evaluate((...call) => window.compareBeside(...call), size, name, { rounds, passes });
    print(comparison);
    comparisons.push(comparison);
    if (comparison.wrong.length > 0) process.exitCode = 1;
  }
  if (options.json || options.out) writeResult('beside', options.out, { ...about, rounds: options.rounds, comparisons });
});
