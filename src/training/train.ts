// The loop of training: steps in submissions of about a tenth of a second, a look at the device between them.

import { DeviceLostError, DisposedError, StateError } from '../runtime/errors.js';
import { type Measurement, type Progress, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import type { Model } from './model.js';
import type { Objective } from './objective.js';
import type { StepOptions } from './step.js';
import { Trainer } from './trainer.js';
import type { FitProgress, TrainingOptions } from './training-options.js';

export interface Plan<L> {
  readonly step: StepOptions;
  readonly objective: Objective<L>;
  /** Steps between two measurements of held-out rows. */
  readonly validateEvery: number;
  /** Measurements without a better one after which training stops. */
  readonly patience: number;
}

export interface Trained {
  /** Of each step. */
  readonly losses: Float32Array;
  /** Of the held-out rows, the best; else the mean of the last tenth of the steps. */
  readonly loss: number;
  /** Mean loss of the minibatches up to a step, at most 200 of them. */
  readonly history: Measurement[];
  readonly validation: Measurement[];
}

/** Seconds that one submission should take: the page's own work gets in between. */
const SUBMISSION = 0.1;
/** Seconds between copies of the parameters to the host, which are what is left where the device goes. */
const COPY = 5;
const POINTS = 200;

const meanOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Losses of the steps, averaged to at most POINTS. */
function thin(losses: Float32Array): Measurement[] {
  const width = Math.max(1, Math.ceil(losses.length / POINTS));
  const points: Measurement[] = [];
  for (let from = 0; from < losses.length; from += width) {
    const part = losses.subarray(from, from + width);
    points.push({ step: from + part.length, loss: meanOf(part) });
  }
  return points;
}

type Calls = Pick<FitProgress, 'update' | 'state'>;

/** Calls `onProgress` and waits, for its promise and for what it asked for without waiting itself. */
async function report(
  onProgress: (progress: FitProgress) => unknown,
  progress: Omit<FitProgress, keyof Calls>,
  calls: Calls,
): Promise<void> {
  const asked: Promise<unknown>[] = [];
  let over = false;
  const open =
    <T>(name: string, call: () => Promise<T>) =>
    async () => {
      if (over) throw new StateError(`progress.${name}: training has gone on; call it before onProgress returns or its promise is settled`);
      const answer = call();
      asked.push(answer);
      return answer;
    };
  try {
    await onProgress({ ...progress, update: open('update', calls.update), state: open('state', calls.state) });
  } finally {
    over = true;
    await Promise.all(asked);
  }
}

/**
 * Trains a model by a plan. It takes the best parameters that were seen, or the last good ones, whatever ends it. Nothing here waits for a timer or
 * a frame, so training goes on in a tab that is hidden.
 *
 * @throws StateError where a loss or its gradient is not finite; FormatError for a state to resume that is of another run; the signal's reason.
 */
export async function train<L>(model: Model<L>, plan: Plan<L>, { signal, onProgress, resume }: TrainingOptions): Promise<Trained> {
  const { step, objective, validateEvery, patience } = plan;
  const { steps } = step;
  const { name } = objective;
  const measures = objective.heldOut !== null;
  const saved = resume && readCheckpoint(model, plan, resume);
  if (saved) await model.replace(saved.fixed);
  const progress: Progress = saved?.progress ?? { taken: 0, best: Number.POSITIVE_INFINITY, since: 0, validation: [] };
  const trainer = new Trainer(model, step, objective, progress.taken, saved?.buffers);
  /** The best parameters, or those of a few seconds ago, on the host. */
  let kept: ReadonlyMap<string, Float32Array> | null = null;
  try {
    await trainer.compile();
    let copied = performance.now();
    const before = progress.taken;
    let seen = before;
    let block = 1;
    let failed: number | null = null;
    let began = performance.now();
    const measure = async () => {
      const loss = await trainer.validationLoss();
      progress.validation.push({ step: progress.taken, loss });
      if (loss < progress.best) {
        progress.best = loss;
        progress.since = 0;
        trainer.keep();
        kept = await trainer.parameters(true);
      } else progress.since++;
    };
    if (measures && progress.validation.length === 0) await measure();
    while (progress.taken < steps && failed === null && progress.since <= patience && !signal?.aborted) {
      model.assertAlive();
      const next = measures ? validateEvery - (progress.taken % validateEvery) : steps;
      const count = Math.min(block, steps - progress.taken, next);
      const submitted = performance.now();
      trainer.take(count);
      const standing = await trainer.standing();
      failed = standing.failed;
      if (failed !== null) break;
      progress.taken += count;
      const seconds = (performance.now() - submitted) / 1000;
      block = Math.max(1, Math.min(2 * block, Math.round((count * SUBMISSION) / seconds)));
      if (measures && progress.taken % validateEvery === 0) await measure();
      if (!measures && performance.now() - copied > 1000 * COPY) {
        kept = await trainer.parameters(false);
        copied = performance.now();
      }
      if (!onProgress) continue;
      const { taken, validation } = progress;
      const stepsPerSecond = (1000 * (taken - before)) / (performance.now() - began);
      const { learningRate, gradientNorm } = standing;
      const loss = meanOf(await trainer.losses(seen, taken));
      const last = validation.at(-1);
      const secondsLeft = (steps - taken) / stepsPerSecond;
      seen = taken;
      const reported = performance.now();
      await report(
        onProgress,
        { step: taken, steps, loss, learningRate, gradientNorm, stepsPerSecond, secondsLeft, ...(last && { validationLoss: last.loss }) },
        {
          update: async () => model.replace(await trainer.parameters(false)),
          state: async () => writeCheckpoint(model, plan, progress, await trainer.state()),
        },
      );
      began += performance.now() - reported;
    }
    await model.replace(await trainer.parameters(measures));
    if (failed !== null) {
      const where = await objective.locate?.().catch(() => null);
      throw new StateError(
        `${name}: the loss of step ${failed}, or its gradient, is not finite${where ? `: ${where}` : ''}; the flow keeps the ${measures ? 'best parameters before it' : `parameters of step ${failed - 1}`}`,
      );
    }
    signal?.throwIfAborted();
    const losses = await trainer.losses(0, progress.taken);
    const loss = measures ? progress.best : meanOf(losses.subarray(Math.floor(0.9 * (losses.length - 1))));
    return { losses, loss, history: thin(losses), validation: progress.validation };
  } catch (error) {
    const gone = error instanceof DeviceLostError || error instanceof DisposedError;
    if (gone && kept) await model.replace(kept).catch(() => {});
    throw error;
  } finally {
    trainer.dispose();
  }
}
