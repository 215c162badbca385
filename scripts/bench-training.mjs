// Trains the same flows with this library, jax-js and TensorFlow.js in one headless browser and prints the time of a step; see bench/README.md.
import { compareAll, readArguments, short, table, versions } from './bench-words.mjs';

const usage = `npm run bench:training -- [options]

  --rounds <n>     timed rounds, default 11
  --target <ms>    a timed block of steps takes about so long, default 1000
  --only <word>    the problems whose name has this word: RealNVP, MAF
  --json           write bench/results/training-<adapter>-<date>.json
  --out <file>     write the JSON there
  --help

The browser is chosen as for the tests: PUSHFORWARD_BROWSER, PUSHFORWARD_GPU=hardware (scripts/browser.mjs).`;

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

const options = readArguments(
  usage,
  { rounds: { type: 'string', default: '11' }, target: { type: 'string', default: '1000' } },
  ({ target }) => {
    if (!(Number(target) > 0)) throw new Error(`--target takes milliseconds above 0; got ${target}`);
    return { target: Number(target) };
  },
);
const { rounds, target } = options;
await compareAll(
  {
    kind: 'training',
    global: 'compareTraining',
    include: [
      '@jax-js/jax',
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-core/dist/register_all_gradients',
      '@tensorflow/tfjs-backend-webgpu',
    ],
    note: 'plain gradient descent on all rows, the same initial weights and data',
    names: (page) => page.evaluate(() => window.trainingProblems),
    compare: (page, index) => page.evaluate((...call) => window.compareTraining(...call), index, { rounds, target, checked: 8 }),
    print,
  },
  options,
);
