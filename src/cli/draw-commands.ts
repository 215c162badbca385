// `pushforward sample` and `pushforward score`.

import { writeCsv } from './csv.js';
import { ENGINES, type Engine, openEngine } from './engine.js';
import { checkWritable, formatOf, type Pieces, readTable, writeWhole } from './files.js';
import type { Typed } from './options.js';
import { say } from './process.js';
import { chooseFor, contextFor, rowsFor } from './rows.js';
import { contextNames, featureNames, readSaved, type SavedFlow } from './saved.js';
import type { Table } from './table.js';
import { CommandError, UsageError } from './usage.js';
import { filesOf, flagOf, integerOf, oneOf, textOf } from './values.js';

const noReport = async (): Promise<boolean> => true;

/** Where the rows of a result go: a file, or CSV on stdout. */
async function destination(typed: Typed): Promise<(table: Table) => Promise<void>> {
  const out = textOf(typed, 'out');
  if (out === undefined)
    return async (table) => {
      for (const piece of writeCsv(table))
        if (!process.stdout.write(piece)) await new Promise((resolve) => process.stdout.once('drain', resolve));
    };
  const format: (table: Table) => Pieces = formatOf(out);
  await checkWritable(out, 'out');
  return (table) => writeWhole(out, format(table));
}

async function withEngine<T>(typed: Typed, use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await openEngine(oneOf(typed, 'engine', ENGINES) ?? 'auto');
  try {
    if (engine.software && !flagOf(typed, 'quiet')) say(`on ${engine.name}, which computes on the processor`);
    return await use(engine);
  } finally {
    await engine.close();
  }
}

/** Of `name=number,…`, in the flow's order. @throws UsageError */
function inlineContext(text: string, flow: SavedFlow): Float32Array {
  const names = contextNames(flow);
  const given = new Map<string, number>();
  for (const part of text.split(',')) {
    const [, name = '', number = ''] = /^(.*?)=(.*)$/.exec(part.trim()) ?? [];
    const value = number.trim() === '' ? Number.NaN : Number(number);
    if (!names.includes(name.trim())) throw new UsageError(`--context needs values for ${names.join(', ')}, as ${names[0]}=1; got ${part}`);
    if (!Number.isFinite(Math.fround(value))) throw new UsageError(`--context needs a finite number for ${name.trim()}; got ${number}`);
    given.set(name.trim(), value);
  }
  const absent = names.find((name) => !given.has(name));
  if (absent !== undefined) throw new UsageError(`--context needs a value for ${absent} too`);
  return Float32Array.from(names, (name) => given.get(name)!);
}

async function readContext(typed: Typed, flow: SavedFlow): Promise<Float32Array | null> {
  const given = textOf(typed, 'context');
  const { context_features: width } = flow.description;
  if (width === 0) {
    if (given !== undefined) throw new UsageError(`${flow.path} is not conditional, so that it takes no --context`);
    return null;
  }
  const names = contextNames(flow);
  if (given === undefined)
    throw new UsageError(
      `${flow.path} is conditional: --context needs a file, or ${names.map((name) => `${name}=1`).join(',')} with numbers of yours`,
    );
  if (given.includes('=')) return inlineContext(given, flow);
  const context = contextFor(given, await readTable(given, chooseFor(given, flow, 'context')), flow);
  if (context.length === 0) throw new CommandError(`${given} has no rows`);
  return context;
}

export async function sampleCommand(typed: Typed): Promise<undefined> {
  const [path] = filesOf(typed, 'sample', ['the file of a flow']) as [string];
  const count = integerOf(typed, 'count', { least: 1, most: 2 ** 32 - 1 }) ?? 1000;
  const seed = integerOf(typed, 'seed', { least: 0 }) ?? null;
  const density = flagOf(typed, 'log-prob');
  const flow = await readSaved(path);
  const context = await readContext(typed, flow);
  const write = await destination(typed);
  const levels = flow.note.levels ?? null;
  const job = { kind: 'sample', file: flow.bytes, count, seed, context, levels, density } as const;
  const { x, logProb } = await withEngine(typed, (engine) => engine.run(job, noReport));
  // Behind the features the context that each row was drawn for, where that is not the same for all.
  const { features, context_features: width } = flow.description;
  const several = context !== null && context.length > width ? context : null;
  const columns = [...featureNames(flow), ...(several ? contextNames(flow) : []), ...(logProb ? ['log_prob'] : [])];
  const rows = x.length / features;
  const values = new Float32Array(rows * columns.length);
  for (let row = 0; row < rows; row++) {
    const at = row * columns.length;
    values.set(x.subarray(row * features, (row + 1) * features), at);
    const given = Math.floor(row / count) * width;
    if (several) values.set(several.subarray(given, given + width), at + features);
    if (logProb) values[at + columns.length - 1] = logProb[row]!;
  }
  await write({ columns, rows, values });
}

export async function scoreCommand(typed: Typed): Promise<undefined> {
  const [path, data] = filesOf(typed, 'score', ['the file of a flow', 'a file of data']) as [string, string];
  const seed = integerOf(typed, 'seed', { least: 0 }) ?? 0;
  const samples = integerOf(typed, 'samples', { least: 1 }) ?? 16;
  const flow = await readSaved(path);
  const rows = rowsFor(data, await readTable(data, chooseFor(data, flow, 'all')), flow);
  if (rows.x.length === 0) throw new CommandError(`${data} has no rows`);
  const write = await destination(typed);
  const job = { kind: 'score', file: flow.bytes, rows, levels: flow.note.levels ?? null, samples, seed } as const;
  const { logProb } = await withEngine(typed, (engine) => engine.run(job, noReport));
  await write({ columns: ['log_prob'], rows: logProb.length, values: logProb });
  if (flagOf(typed, 'quiet')) return;
  const mean = logProb.reduce((sum, value) => sum + value, 0) / logProb.length;
  say(`${logProb.length} rows, mean log-density ${mean.toFixed(4)} nats${job.levels === null ? '' : ' at least, since rows are integers'}`);
}
