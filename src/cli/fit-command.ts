// `pushforward fit`.

import { type Bar, startBar } from './bar.js';
import { readRun, withRun } from './checkpoint.js';
import { ENGINES, openEngine } from './engine.js';
import { checkWritable, readTable, writeWhole } from './files.js';
import type { FitJob, Fitted, FlowName, Progress } from './jobs.js';
import type { Typed } from './options.js';
import { INTERRUPTED, onInterrupt, say } from './process.js';
import { checkRows, divideColumns, divideRows } from './rows.js';
import { type DataNote, withNote } from './saved.js';
import { isNamed } from './table.js';
import { CommandError, UsageError } from './usage.js';
import { filesOf, flagOf, integerOf, integersOf, namesOf, numberOf, oneOf, textOf } from './values.js';

/** By the names of the recipes. */
const FLOWS = ['maf', 'iaf', 'nice', 'realnvp', 'nsf'] as const satisfies readonly FlowName[];
/** Rows that a look at held-out data needs to mean something. */
const LARGEST_SHARE = 0.9;

/** @returns an exit code where it is not 0. */
export async function fitCommand(typed: Typed): Promise<number | undefined> {
  const [path] = filesOf(typed, 'fit', ['a file of data']) as [string];
  const out = textOf(typed, 'out');
  if (out === undefined) throw new UsageError('fit needs --out FILE, where the flow goes, for example --out flow.safetensors');
  const flow = oneOf(typed, 'flow', FLOWS) ?? 'nsf';
  const layers = integerOf(typed, 'layers', { least: 1 });
  const hidden = integersOf(typed, 'hidden', { least: 1 });
  const steps = integerOf(typed, 'steps', { least: 1 }) ?? 2000;
  const batch = integerOf(typed, 'batch', { least: 1 });
  const learningRate = numberOf(typed, 'rate', 'a number above 0', (value) => value > 0) ?? 1e-3;
  const seed = integerOf(typed, 'seed', { least: 0 }) ?? 0;
  const share = numberOf(typed, 'validation', `a share from 0 to ${LARGEST_SHARE}`, (value) => value >= 0 && value <= LARGEST_SHARE) ?? 0.1;
  const average = numberOf(typed, 'average', 'a number above 0 and below 1', (value) => value > 0 && value < 1);
  const levels = integerOf(typed, 'levels', { least: 2, most: 65536 });
  const columns = namesOf(typed, 'columns') ?? null;
  const contextColumns = namesOf(typed, 'context-columns') ?? [];
  const where = oneOf(typed, 'engine', ENGINES) ?? 'auto';
  const checkpoint = textOf(typed, 'checkpoint');
  const resume = textOf(typed, 'resume');
  if (checkpoint === out) throw new UsageError(`--checkpoint and --out need a file each; got ${out} for both`);
  await checkWritable(out, 'out');
  if (checkpoint !== undefined) await checkWritable(checkpoint, 'checkpoint');

  // Of a file that names its columns the others are not read, and those that are have other numbers then.
  let chosen: { readonly features: string[]; readonly context: string[] } | null = null;
  const table = await readTable(path, (names) => {
    const { features, context } = divideColumns(path, names, columns, contextColumns);
    const name = (places: readonly number[]) => places.map((place) => names[place]!);
    chosen = { features: name(features), context: name(context) };
    return new Set([...chosen.features, ...chosen.context]);
  });
  const { features: wanted, context: given } = chosen ?? { features: columns, context: contextColumns };
  const divided = divideColumns(path, table.columns, wanted, given);
  const named = isNamed(table.columns);
  checkRows(path, table, divided, levels ?? null);
  const dim = divided.features.length;
  if (dim === 1 && (flow === 'nice' || flow === 'realnvp'))
    throw new UsageError(`--flow ${flow} needs at least two columns, since it moves some by the others; maf, iaf and nsf take one`);
  const fresh: FitJob = {
    kind: 'fit',
    flow,
    recipe: { dim, contextDim: divided.context.length, seed, ...(layers && { layers }), ...(hidden && { hidden }) },
    training: { steps, learningRate, seed, ...(batch && { batch }), ...(average && { average }), ...(levels && { levels }) },
    standardise: !flagOf(typed, 'no-standardise'),
    ...divideRows(table, divided, share, seed),
    resume: null,
    checkpoint: checkpoint !== undefined,
  };
  const job = resume === undefined ? fresh : { ...fresh, resume: await readRun(resume, fresh, path) };
  const name = (places: readonly number[]) => places.map((place) => table.columns[place]!);
  const note: DataNote = {
    ...(named && { columns: name(divided.features) }),
    ...(named && divided.context.length > 0 && { contextColumns: name(divided.context) }),
    ...(levels && { levels }),
  };
  const keep = async (state: Uint8Array) => {
    if (checkpoint !== undefined) await writeWhole(checkpoint, [withRun(state, job)]);
  };
  const { fitted, interrupted } = await train(job, { where, quiet: flagOf(typed, 'quiet'), keep });
  if (fitted.steps === 0) {
    say(`training ended before its first step, and ${out} is not written`);
    return INTERRUPTED;
  }
  await writeWhole(out, [withNote(fitted.file, note)]);
  if (fitted.failure !== null) throw new CommandError(`${fitted.failure}, which ${out} holds; a lower --rate may help`);
  const early = fitted.steps < steps ? ` after ${fitted.steps} of ${steps} steps` : '';
  const bits = fitted.bitsPerDim === null ? '' : `, ${fitted.bitsPerDim.toFixed(4)} bits a column`;
  const of = job.validation ? `${job.validation.x.length / dim} held-out rows` : 'the last steps';
  say(`${out}: ${flow} of ${dim} ${dim === 1 ? 'column' : 'columns'}${early}, loss ${fitted.loss.toFixed(4)} nats on ${of}${bits}`);
  return interrupted ? INTERRUPTED : undefined;
}

interface Training {
  readonly fitted: Fitted;
  readonly interrupted: boolean;
}

interface TrainOptions {
  readonly where: (typeof ENGINES)[number];
  readonly quiet: boolean;
  /** Takes the state of the run. */
  readonly keep: (state: Uint8Array) => Promise<void>;
}

async function train(job: FitJob, { where, quiet, keep }: TrainOptions): Promise<Training> {
  const engine = await openEngine(where);
  let bar: Bar | null = null;
  let goOn = true;
  const release = onInterrupt(() => {
    goOn = false;
    if (!quiet) say('\nending; the best parameters so far are saved');
  });
  try {
    if (!quiet) {
      const rows = job.train.x.length / job.recipe.dim;
      say(
        `${rows} rows on ${engine.name}${engine.software ? ', which computes on the processor' : ''}; Ctrl-C ends training and keeps the best parameters`,
      );
      bar = startBar(process.stderr);
    }
    const fitted = await engine.run(job, async (progress: Progress, state?: Uint8Array) => {
      if (state) await keep(state);
      if (goOn) bar?.update(progress);
      return goOn;
    });
    return { fitted, interrupted: !goOn };
  } finally {
    bar?.stop();
    release();
    await engine.close();
  }
}
