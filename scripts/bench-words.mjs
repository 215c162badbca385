// What the benchmarks beside other libraries share: arguments, versions, tables, and a run from task to task.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { onPage } from './bench-page.mjs';

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
async function introduce(page) {
  const { adapter, software } = await page.evaluate(() => window.describeAdapter());
  const machine = { cores: cpus().length, loadBefore: loadavg()[0] };
  console.log(`adapter: ${adapter}${software ? '; a SOFTWARE ADAPTER: the CPU computes' : ''}`);
  console.log(`load average ${machine.loadBefore.toFixed(1)} on ${machine.cores} cores before the run`);
  return { adapter, software, machine };
}

/** Writes a result to `out`, or under bench/results. */
function writeResult(kind, out, { adapter, ...result }) {
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

/**
 * The arguments that both take, and `own`; ends where they are wrong, or help is asked for.
 *
 * @param check of the values; throws an error that says what is wrong, and gives those that are numbers.
 */
export function readArguments(usage, own, check) {
  try {
    const shared = { only: { type: 'string', default: '' }, json: { type: 'boolean', default: false }, out: { type: 'string' } };
    const { values } = parseArgs({ options: { ...shared, ...own, help: { type: 'boolean', default: false } } });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    const whole = (name) => {
      const value = Number(values[name]);
      if (!(Number.isInteger(value) && value >= 1)) throw new Error(`--${name} takes a whole number from 1; got ${values[name]}`);
      return value;
    };
    return { ...values, rounds: whole('rounds'), ...check(values, whole) };
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

/**
 * Runs the tasks whose name has the word `only`, one after another, in one page.
 *
 * @param kind the page's folder, and the first word of a result's name. @param names what the page knows. @param compare one of them, by its place there.
 */
export async function compareAll({ kind, global, include, note, names, compare, print }, { only, json, out, rounds }) {
  await onPage({ path: `${kind}/`, global, include }, async (page) => {
    const known = await names(page);
    const chosen = [...known.keys()].filter((index) => known[index].toLowerCase().includes(only.toLowerCase()));
    if (chosen.length === 0) throw new Error(`--only takes a word of ${known.map((name) => `"${name}"`).join(' or ')}; got ${only}`);
    const about = await introduce(page);
    console.log(`${note}; ${rounds} rounds, the libraries in turn`);
    const comparisons = [];
    for (const index of chosen) {
      const comparison = await compare(page, index, known[index]);
      print(comparison);
      comparisons.push(comparison);
      if (comparison.wrong.length > 0) process.exitCode = 1;
    }
    if (json || out) writeResult(kind, out, { ...about, rounds, comparisons });
  });
}
