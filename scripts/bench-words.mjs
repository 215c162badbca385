// What the benchmarks beside other libraries share: versions, tables, where a result is written.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const versionOf = (name) => JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8')).version;

/** By the names of the libraries in the tables, the first word of it where there are several. */
export const versions = {
  pushforward: versionOf('.'),
  'jax-js': versionOf('node_modules/@jax-js/jax'),
  'TensorFlow.js': versionOf('node_modules/@tensorflow/tfjs-core'),
  'ONNX Runtime Web': versionOf('node_modules/onnxruntime-web'),
};

/** Columns as wide as they need, the first from the left. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')).join('\n');
}

export const short = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** Prints what computes. */
export async function introduce(page) {
  const { adapter, software } = await page.evaluate(() => window.describeAdapter());
  const machine = { cores: cpus().length, loadBefore: loadavg()[0] };
  console.log(`adapter: ${adapter}${software ? '; a SOFTWARE ADAPTER: the CPU computes' : ''}`);
  console.log(`load average ${machine.loadBefore.toFixed(1)} on ${machine.cores} cores before the run`);
  return { adapter, software, machine };
}

/** Writes a result to `out`, or under bench/results. */
export function writeResult(kind, out, { adapter, ...result }) {
  const date = new Date().toISOString();
  const slug = adapter
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .slice(0, 2)
    .join('-');
  const file = out ? resolve(out) : join(root, `bench/results/${kind}-${slug}-${date.slice(0, 19).replaceAll(':', '')}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ date, adapter, versions, ...result }, null, 2)}\n`);
  console.log(`\nwritten: ${relative(process.cwd(), file)}`);
}
