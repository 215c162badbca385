// Every kernel and variant against its float64 twin on another adapter than the tests': in Node on what Dawn finds there, in Deno on wgpu. Not part of the
// tests, since it needs an adapter that Vulkan, Metal or Direct3D 12 knows; llvmpipe of Mesa will do, on which a sequential solve takes 10 s to compile.
//
//   npm install --no-save webgpu
//   VK_ICD_FILENAMES=/usr/share/vulkan/icd.d/lvp_icd.json node scripts/kernels-elsewhere.mjs [regular expression of names]
//   npx deno run -A --unstable-webgpu scripts/kernels-elsewhere.mjs [the same]                    after Node has built the cases
//
// Each table has a process of its own: an implementation that ends it, or hangs, fails that table alone.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { useDawn } from './dawn.mjs';

const PATIENCE = 600_000; // without a line of output

const inDeno = 'Deno' in globalThis;
const outDir = new URL('../node_modules/.cache/pushforward/kernels/', import.meta.url);
const bundle = new URL('all-kernels.js', outDir);
const { values, positionals } = parseArgs({ options: { table: { type: 'string' } }, allowPositionals: true });

/** One table: a line of JSON for each case. */
async function runTable(index) {
  if (!inDeno) await useDawn();
  const { Gpu, tables, compareWithTwin, freshSeed } = await import(bundle.href);
  const { device, choices } = await Gpu.request();
  const { kernel, cases } = tables[index];
  const { vendor, architecture, description } = device.adapterInfo ?? {};
  const say = (line) => console.info(JSON.stringify(line));
  say({ adapter: [vendor, architecture, description].filter(Boolean).join(', ') || 'an adapter without a name' });
  const runs = choices.compiles(kernel);
  if (!runs) say({ lacks: kernel.source.feature });
  for (const entry of runs ? cases : []) {
    const seed = freshSeed();
    try {
      const { worst, place } = await compareWithTwin(device, kernel, entry, seed);
      say({ name: entry.name, worst: String(worst), seed, place });
    } catch (error) {
      say({ name: entry.name, worst: 'Infinity', seed, place: String(error).slice(0, 300) });
    }
  }
  say({ done: true });
  process.exit(0);
}

/** Lines of a table's process. */
function linesOf(index) {
  const self = fileURLToPath(import.meta.url);
  const flags = inDeno ? ['run', '-A', '--unstable-webgpu'] : [];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...flags, self, '--table', String(index)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [text, errors] = ['', ''];
    const kill = () => child.kill('SIGKILL');
    let timer = setTimeout(kill, PATIENCE);
    child.stdout.on('data', (chunk) => {
      text += chunk;
      clearTimeout(timer);
      timer = setTimeout(kill, PATIENCE);
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const lines = text.split('\n').filter((line) => line.startsWith('{'));
      resolve({ lines: lines.map((line) => JSON.parse(line)), end: `exit ${code ?? signal} ${errors.trim().split('\n').at(-1) ?? ''}` });
    });
  });
}

async function runAll(part) {
  if (!inDeno) {
    const { build } = await import('vite');
    await build({
      root: fileURLToPath(new URL('..', import.meta.url)),
      configFile: false,
      logLevel: 'warn',
      build: { ssr: 'tests/support/all-kernels.ts', outDir: fileURLToPath(outDir), emptyOutDir: true, minify: false },
    });
  } else if (!existsSync(bundle)) throw new Error('no bundle of the cases yet: run this script in Node once');
  const { tables, nameOf } = await import(bundle.href);
  let [passed, failed] = [0, 0];
  let named = false;
  for (const [index, table] of tables.entries()) {
    const name = nameOf(table);
    if (!part.test(name)) continue;
    const { lines, end } = await linesOf(index);
    const results = lines.filter((line) => 'worst' in line);
    const adapter = lines.find((line) => 'adapter' in line)?.adapter;
    if (adapter && !named) console.info(`adapter: ${adapter}`);
    named ||= adapter !== undefined;
    const bad = results.filter(({ worst }) => !(Number(worst) <= 1));
    const lost = lines.at(-1)?.done ? 0 : table.cases.length - results.length;
    passed += results.length - bad.length;
    failed += bad.length + lost;
    const lacks = lines.find((line) => 'lacks' in line)?.lacks;
    if (lacks) {
      console.info(`  ${name.padEnd(64)} not run: it needs ${lacks}, which is not here`);
      continue;
    }
    const most = Math.max(0, ...results.map(({ worst }) => Number(worst)));
    console.info(
      `${bad.length + lost > 0 ? '✗' : ' '} ${name.padEnd(64)} ${String(results.length).padStart(3)} cases, worst ${most.toFixed(3)}`,
    );
    for (const { name: entry, worst, seed, place } of bad)
      console.info(`    ${entry}: ${worst} × what is allowed; ${place}; VITE_TEST_SEED=${seed}`);
    if (lost > 0) console.info(`    ${lost} cases did not run: ${end}`);
  }
  console.info(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
}

if (values.table === undefined) await runAll(new RegExp(positionals[0] ?? ''));
else await runTable(Number(values.table));
