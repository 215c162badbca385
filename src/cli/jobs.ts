// What a command has a device do, as plain data, so that it runs in this process or in a browser's page alike.

import {
  dequantize,
  type FitProgress,
  type Flow,
  fit,
  type Gpu,
  iaf,
  loadFlow,
  maf,
  neuralSpline,
  nice,
  type RecipeOptions,
  realNVP,
  StateError,
  standardised,
} from 'pushforward';
import { readContextAs } from './context.js';

/** By the name that `--flow` takes. A coupling moves some features by the others, so one feature alone takes an autoregressive spline. */
export const recipes = {
  maf,
  iaf,
  nice,
  realnvp: realNVP,
  nsf: (gpu: Gpu, options: RecipeOptions) => neuralSpline(gpu, { ...options, type: options.dim > 1 ? 'coupling' : 'autoregressive' }),
} satisfies Record<string, (gpu: Gpu, options: RecipeOptions) => Promise<Flow>>;

export type FlowName = keyof typeof recipes;

export interface Rows {
  /** Row-major [n, D]. */
  readonly x: Float32Array;
  /** Row-major [n, C], as the file has it. */
  readonly context: Float32Array | null;
}

export interface Checkpoint {
  /** What `progress.state()` gave. */
  readonly state: Uint8Array;
  /** The best loss of the held-out rows by then, or null. */
  readonly best: number | null;
}

export interface FitJob {
  readonly kind: 'fit';
  readonly flow: FlowName;
  readonly recipe: RecipeOptions;
  readonly training: {
    readonly steps: number;
    readonly batch?: number;
    readonly learningRate: number;
    readonly average?: number;
    readonly levels?: number;
    readonly seed: number;
  };
  readonly standardise: boolean;
  readonly train: Rows;
  readonly validation: Rows | null;
  /** What the run goes on from. */
  readonly resume: Checkpoint | null;
  /** Whether the run's state is wanted at each look at the held-out rows, or as often, and where it ends. */
  readonly checkpoint: boolean;
}

export interface Fitted {
  /** As `flow.save()` writes it. */
  readonly file: Uint8Array;
  /** Steps that were taken. */
  readonly steps: number;
  readonly loss: number;
  readonly bitsPerDim: number | null;
  /** Why it ended early with a flow that is worth keeping, where the loss was no number any more. */
  readonly failure: string | null;
}

export interface SampleJob {
  readonly kind: 'sample';
  readonly file: Uint8Array;
  /** For each row of the context, or in all. */
  readonly count: number;
  readonly seed: number | null;
  /** Row-major [m, C]. */
  readonly context: Float32Array | null;
  /** Of integers, or null. */
  readonly levels: number | null;
  readonly density: boolean;
}

export interface Sampled {
  readonly x: Float32Array;
  readonly logProb: Float32Array | null;
}

export interface ScoreJob {
  readonly kind: 'score';
  readonly file: Uint8Array;
  readonly rows: Rows;
  readonly levels: number | null;
  /** Noise draws a row of integers. */
  readonly samples: number;
  readonly seed: number;
}

export interface Scored {
  readonly logProb: Float32Array;
}

export type Job = FitJob | SampleJob | ScoreJob;
export type ResultOf<J extends Job> = J extends FitJob ? Fitted : J extends SampleJob ? Sampled : Scored;

export type Progress = Omit<FitProgress, 'update' | 'state'>;

/** Called as training goes, at times with the state of the run; whether it should go on. */
export type Report = (progress: Progress, state?: Uint8Array) => Promise<boolean>;

/** Mean and deviation of each column; of one that does not vary the deviation is 1. */
function momentsOf(values: Float32Array, width: number): { mean: number[]; deviation: number[] } {
  const rows = values.length / width;
  const average = (column: number, term: (value: number) => number) => {
    let sum = 0;
    for (let at = column; at < values.length; at += width) sum += term(values[at]!);
    return sum / rows;
  };
  const mean = Array.from({ length: width }, (_, column) => average(column, (value) => value));
  const deviation = mean.map((centre, column) => Math.sqrt(average(column, (value) => (value - centre) ** 2)) || 1);
  return { mean, deviation };
}

/** An interrupted run keeps what the last look at held-out rows found best: often, where a look costs less than a tenth of the steps between. */
function stepsBetweenLooks({ training: { steps, batch = 256 } }: FitJob, heldOut: number): number {
  // A step is about three passes over its rows, forwards and backwards.
  const cheap = Math.ceil((10 * heldOut) / (3 * batch));
  return Math.min(Math.ceil(steps / 20), Math.max(50, cheap));
}

async function runFit(gpu: Gpu, job: FitJob, report: Report): Promise<Fitted> {
  const { train, validation, training } = job;
  const { levels } = training;
  const fresh = await recipes[job.flow](gpu, job.recipe);
  const flow = job.standardise ? standardised(fresh, train.x, levels ? { levels } : {}) : fresh;
  // The networks read a context in units of its deviation while they train; the saved flow reads it as it comes.
  const width = job.recipe.contextDim ?? 0;
  const moments = job.standardise && train.context ? momentsOf(train.context, width) : null;
  const scaled = (context: Float32Array) =>
    moments ? context.map((value, at) => (value - moments.mean[at % width]!) / moments.deviation[at % width]!) : context;
  const every = stepsBetweenLooks(job, (validation?.x.length ?? 0) / job.recipe.dim);
  let looks = 0;
  const stop = new AbortController();
  let last: Progress | null = null;
  let best = job.resume?.best ?? Number.POSITIVE_INFINITY;
  let ended: { loss: number; bitsPerDim: number | null } | null = null;
  let failure: string | null = null;
  try {
    const { loss, bitsPerDim = null } = await fit(flow, train.x, {
      ...training,
      ...(train.context && { context: scaled(train.context) }),
      ...(validation && {
        validation: validation.x,
        validateEvery: every,
        ...(validation.context && { validationContext: scaled(validation.context) }),
      }),
      ...(job.resume && { resume: job.resume.state }),
      signal: stop.signal,
      onProgress: async (progress) => {
        const { update: _, state, ...plain } = progress;
        last = plain;
        best = Math.min(best, plain.validationLoss ?? best);
        const due = job.checkpoint && (plain.step === plain.steps || Math.floor(plain.step / every) > looks);
        looks = Math.floor(plain.step / every);
        if (await (due ? report(plain, await state()) : report(plain))) return;
        if (job.checkpoint && !due) await report(plain, await state());
        stop.abort();
      },
    });
    ended = { loss, bitsPerDim };
  } catch (error) {
    const failed = error instanceof StateError && last !== null;
    if (!stop.signal.aborted && !failed) throw error;
    if (failed) failure = error.message;
  }
  const seen = last as Progress | null;
  // What is kept of a run that ended early: the best parameters on held-out rows, else the last.
  const loss = ended?.loss ?? (validation ? best : (seen?.loss ?? Number.NaN));
  const saved = await flow.save();
  return {
    file: moments ? readContextAs(saved, moments) : saved,
    // A run that had ended already takes no further step.
    steps: ended ? training.steps : (seen?.step ?? 0),
    loss,
    bitsPerDim: ended?.bitsPerDim ?? null,
    failure,
  };
}

async function runSample(gpu: Gpu, job: SampleJob): Promise<Sampled> {
  const flow = await loadFlow(gpu, job.file);
  const { contextDim } = flow;
  const given = job.context ? job.context.length / contextDim : 1;
  const count = job.count * given;
  let context = job.context;
  if (context && given > 1) {
    const all = new Float32Array(count * contextDim);
    for (let row = 0; row < count; row++) {
      const from = Math.floor(row / job.count) * contextDim;
      all.set(context.subarray(from, from + contextDim), row * contextDim);
    }
    context = all;
  }
  const options = { ...(job.seed !== null && { seed: job.seed }), ...(context && { context }) };
  if (job.levels !== null) {
    const integers = dequantize({ flow, levels: job.levels });
    const x = await integers.sample(count, options);
    return { x, logProb: job.density ? await integers.logProb(x, { ...options, samples: 16 }) : null };
  }
  if (job.density) return flow.sampleWithLogProb(count, options);
  return { x: await flow.sample(count, options), logProb: null };
}

async function runScore(gpu: Gpu, { file, rows, levels, samples, seed }: ScoreJob): Promise<Scored> {
  const flow = await loadFlow(gpu, file);
  const options = { seed, ...(rows.context && { context: rows.context }) };
  if (levels === null) return { logProb: await flow.logProb(rows.x, options) };
  return { logProb: await dequantize({ flow, levels }).logProb(rows.x, { ...options, samples }) };
}

/** @throws what the library throws. */
export async function runJob<J extends Job>(gpu: Gpu, job: J, report: Report): Promise<ResultOf<J>>;
export async function runJob(gpu: Gpu, job: Job, report: Report): Promise<Fitted | Sampled | Scored> {
  if (job.kind === 'fit') return runFit(gpu, job, report);
  return job.kind === 'sample' ? runSample(gpu, job) : runScore(gpu, job);
}
