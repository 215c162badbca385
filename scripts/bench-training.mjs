// Trains the same flows with this library, jax-js and TensorFlow.js in one headless browser and prints the time of a step; see bench/README.md.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { launchBrowser } from './browser.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

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

const versionOf = (name) => JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8')).version;
const versions = {
  pushforward: versionOf('.'),
  'jax-js': versionOf('node_modules/@jax-js/jax'),
  'TensorFlow.js': versionOf('node_modules/@tensorflow/tfjs-core'),
};

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

const options = readArguments();
if (options.help) {
  console.log(usage);
  process.exit(0);
}

const server = await createServer({
  configFile: join(root, 'bench/vite.config.ts'),
  logLevel: 'warn',
  // The page of the other benchmarks needs neither library: these are bundled here alone, in a cache of their own.
  cacheDir: join(root, 'node_modules/.cache/pushforward/vite-training'),
  optimizeDeps: {
    include: [
      '@jax-js/jax',
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-core/dist/register_all_gradients',
      '@tensorflow/tfjs-backend-webgpu',
    ],
  },
  server: { port: 0, strictPort: false, hmr: false, watch: null },
});
let browser;
try {
  await server.listen();
  const address = server.httpServer.address();
  browser = await launchBrowser();
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  const broken = new Promise((_, reject) => {
    page.on('pageerror', (error) => reject(new Error(`the page failed: ${error.message}`)));
    browser.on('disconnected', () => reject(new Error('the browser ended')));
  });
  broken.catch(() => {});
  const started = Date.now();
  // The other libraries report errors of their devices there.
  page.on('console', (message) => message.type() === 'error' && console.error(`the page said: ${message.text()}`));
  await page.exposeFunction('reportProgress', (text) =>
    console.error(`[${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s] ${text}`),
  );
  await page.goto(`http://127.0.0.1:${address.port}/training/`);
  await Promise.race([broken, page.waitForFunction('typeof window.compareTraining === "function"', { timeout: 120_000 })]);
  const names = await page.evaluate(() => window.trainingProblems);
  const chosen = [...names.keys()].filter((index) => names[index].toLowerCase().includes(options.only.toLowerCase()));
  if (chosen.length === 0) throw new Error(`--only takes a word of ${names.map((name) => `"${name}"`).join(' or ')}; got ${options.only}`);
  const { adapter, software } = await page.evaluate(() => window.describeAdapter());
  const machine = { cores: cpus().length, loadBefore: loadavg()[0] };
  console.log(`adapter: ${adapter}${software ? '; a SOFTWARE ADAPTER: the CPU computes' : ''}`);
  console.log(`load average ${machine.loadBefore.toFixed(1)} on ${machine.cores} cores before the run`);
  console.log(`plain gradient descent on all rows, the same initial weights and data; ${options.rounds} rounds, the libraries in turn`);
  const comparisons = [];
  for (const index of chosen) {
    const asked = { rounds: options.rounds, target: options.target, checked: 8 };
    const comparison = await Promise.race([broken, page.evaluate((at, input) => window.compareTraining(at, input), index, asked)]);
    print(comparison);
    comparisons.push(comparison);
    if (comparison.wrong.length > 0) process.exitCode = 1;
  }
  if (options.json || options.out !== undefined) {
    const date = new Date().toISOString();
    const slug = adapter
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .slice(0, 2)
      .join('-');
    const file = options.out
      ? resolve(options.out)
      : join(root, `bench/results/training-${slug}-${date.slice(0, 19).replaceAll(':', '')}.json`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(
      file,
      `${JSON.stringify({ date, adapter, software, machine, versions, rounds: options.rounds, comparisons }, null, 2)}\n`,
    );
    console.log(`\nwritten: ${relative(process.cwd(), file)}`);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser?.close();
  await server.close();
}
