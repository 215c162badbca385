// Runs the same tasks in this library and in three others in one headless browser and prints their times; see bench/README.md.
import { compareAll, readArguments, short, table, versions } from './bench-words.mjs';

const usage = `npm run bench:beside -- [options]

  --rounds <n>     timed rounds, default 5
  --passes <n>     network passes of the others' sampling that are timed and scaled up, default 4; 64 for all of them
  --only <word>    the tasks whose name has this word: linear, MAF, RealNVP, spline
  --size tiny      small sizes, for a test
  --json           write bench/results/beside-<adapter>-<date>.json
  --out <file>     write the JSON there
  --help

The browser is chosen as for the tests: PUSHFORWARD_BROWSER, PUSHFORWARD_GPU=hardware (scripts/browser.mjs).`;

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

const options = readArguments(
  usage,
  {
    rounds: { type: 'string', default: '5' },
    passes: { type: 'string', default: '4' },
    size: { type: 'string', default: 'full' },
  },
  ({ size }, whole) => {
    if (!['full', 'tiny'].includes(size)) throw new Error(`--size takes full or tiny; got ${size}`);
    return { passes: whole('passes') };
  },
);
const { size, rounds, passes } = options;
await compareAll(
  {
    kind: 'beside',
    global: 'compareBeside',
    include: ['@jax-js/jax', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu', 'protobufjs/light'],
    note: 'the same weights and inputs, results on the host at the end of every call',
    names: (page) => page.evaluate((wanted) => window.besideProblems(wanted), size),
    compare: (page, _, name) => page.evaluate((...call) => window.compareBeside(...call), size, name, { rounds, passes }),
    print,
  },
  options,
);
