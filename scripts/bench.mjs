// Runs bench/ in a headless browser and prints its table; see bench/README.md.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { launchBrowser } from './browser.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sections = ['ceilings', 'compile', 'masked-linear', 'maf', 'growth', 'directions', 'small'];

const usage = `npm run bench -- [options]

  --quick            fewer rounds and sizes, under a minute
  --tiny             the smoke test's sizes: every path, figures of no value
  --rounds <n>       timed rounds of each measurement
  --only <sections>  comma-separated, of ${sections.join(', ')}
  --json             write bench/results/<adapter>-<date>.json
  --out <file>       write the JSON there
  --compare <file>   print this run beside an earlier one's JSON
  --help

The browser is chosen as for the tests: PUSHFORWARD_BROWSER, PUSHFORWARD_GPU=hardware (scripts/browser.mjs).`;

/** Arguments, or an exit with one sentence. */
function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        tiny: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
        out: { type: 'string' },
        compare: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
    if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1))
      throw new Error(`--rounds takes a whole number from 1; got ${values.rounds}`);
    const only = values.only?.split(',');
    const unknown = only?.find((name) => !sections.includes(name));
    if (unknown !== undefined) throw new Error(`--only takes ${sections.join(', ')}; got ${unknown}`);
    return { ...values, rounds, only };
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

const options = readArguments();
if (options.help) {
  console.log(usage);
  process.exit(0);
}
const compare = options.compare === undefined ? undefined : JSON.parse(readFileSync(options.compare, 'utf8'));

const server = await createServer({
  configFile: join(root, 'bench/vite.config.ts'),
  logLevel: 'warn',
  // Port 0: any free one. No watching: a file saved meanwhile must not reload the page.
  server: { port: 0, strictPort: false, hmr: false, watch: null },
});
let browser;
try {
  await server.listen();
  const address = server.httpServer.address();
  browser = await launchBrowser();
  const page = await browser.newPage();
  // A page that breaks while it loads never offers its function: say so at once instead of waiting for it.
  const broken = new Promise((_, reject) => {
    page.on('pageerror', (error) => reject(new Error(`the page failed: ${error.message}`)));
    browser.on('disconnected', () => reject(new Error('the browser ended')));
  });
  broken.catch(() => {});
  const started = Date.now();
  await page.exposeFunction('reportProgress', (text) =>
    console.error(`[${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s] ${text}`),
  );
  await page.goto(`http://127.0.0.1:${address.port}/`, { waitUntil: 'load', timeout: 120_000 });
  await Promise.race([broken, page.waitForFunction('typeof window.runPushforwardBenchmark === "function"', { timeout: 120_000 })]);
  const size = options.tiny ? 'tiny' : options.quick ? 'quick' : 'full';
  const given = JSON.parse(JSON.stringify({ size, rounds: options.rounds, only: options.only, commit: commit(), compare }));
  const { results, text, fileName } = await Promise.race([broken, page.evaluate((input) => window.runPushforwardBenchmark(input), given)]);
  console.log(text);
  if (options.json || options.out !== undefined) {
    const file = options.out === undefined ? join(root, 'bench/results', fileName) : resolve(options.out);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
    console.log(`written: ${relative(process.cwd(), file)}`);
  }
  if (!results.verified || results.complaints.length > 0) process.exitCode = 1;
} finally {
  await browser?.close();
  await server.close();
}
