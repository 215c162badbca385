// Trains the same flows with this library, jax-js and TensorFlow.js in one headless browser and prints the time of a step; see bench/README.md.
import { parseArgs } from 'node:util';
import { onPage } from './bench-page.mjs';
import { introduce, short, table, versions, writeResult } from './bench-words.mjs';

const usage = `npm run bench:training -- [options]

  --rounds <n>     timed rounds, default 11
  --target <ms>    a timed block of steps takes about so long, default 1000
  --only <word>    the problems whose name has this word: RealNVP, MAF
  --json           write bench/results/training-<adapter>-<date>.json
  --out <file>     write the JSON there
  --help

The browser is chosen as for the tests: PUSHFORWARD_BROWSER, PUSHFORWARD_GPU=hardware (scripts/browser.mjs).`;

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

const options = readArguments();
if (options.help) {
  console.log(usage);
  process.exit(0);
}

const include = [
  '@jax-js/jax',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-core/dist/register_all_gradients',
  '@tensorflow/tfjs-backend-webgpu',
];
await onPage({ path: 'training/', global: 'compareTraining', include }, async (page) => {
  const names = await page.evaluate(() => window.trainingProblems);
  const chosen = [...names.keys()].filter((index) => names[index].toLowerCase().includes(options.only.toLowerCase()));
  if (chosen.length === 0) throw new Error(`--only takes a word of ${names.map((name) => `"${name}"`).join(' or ')}; got ${options.only}`);
  const about = await introduce(page);
  console.log(`plain gradient descent on all rows, the same initial weights and data; ${options.rounds} rounds, the libraries in turn`);
  const comparisons = [];
  for (const index of chosen) {
    const asked = { rounds: options.rounds, target: options.target, checked: 8 };
    const comparison = await page.evaluate((at, input) => window.compareTraining(at, input), index, asked);
    print(comparison);
    comparisons.push(comparison);
    if (comparison.wrong.length > 0) process.exitCode = 1;
  }
  if (options.json || options.out) writeResult('training', options.out, { ...about, rounds: options.rounds, comparisons });
});
