// The loop of `fit`: steps in submissions of about a tenth of a second, a look at the device between them.

import type { GpuFlow } from '../flows/flow.js';
import { StateError } from '../runtime/errors.js';
import { type Measurement, type Progress, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { type FitOptions, type FitPlan, type FitProgress, planFit } from './fit-options.js';
import { initialise } from './initialise.js';
import { Trainer } from './trainer.js';

export interface FitResult {
  /** Mean negative log-likelihood, nats: of the held-out rows, else of the minibatches of the last tenth of the steps. */
  readonly loss: number;
  /** The same as bits for each feature, where the data are integers. */
  readonly bitsPerDim?: number;
  /** Mean loss of the minibatches up to a step, at most 200 of them. */
  readonly history: Measurement[];
  readonly validation: Measurement[];
}

/** Seconds that one submission should take: the page's own work gets in between. */
const SUBMISSION = 0.1;
const POINTS = 200;
/** Rows from which layers that normalise take their start. */
const START_ROWS = 4096;

const meanOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Losses of the steps, averaged to at most POINTS. */
function thin(losses: Float32Array, shift: number): Measurement[] {
  const width = Math.max(1, Math.ceil(losses.length / POINTS));
  const points: Measurement[] = [];
  for (let from = 0; from < losses.length; from += width) {
    const part = losses.subarray(from, from + width);
    points.push({ step: from + part.length, loss: meanOf(part) + shift });
  }
  return points;
}

/** Rows spread over the data, of integers the middle of each cell. */
async function start(flow: GpuFlow, { train: { x, context }, step: { levels } }: FitPlan): Promise<void> {
  const { dim, contextDim } = flow;
  const rows = x.length / dim;
  const count = Math.min(rows, START_ROWS);
  const spread = (from: Float32Array, width: number) => {
    const some = new Float32Array(count * width);
    for (let row = 0; row < count; row++) {
      const at = Math.floor((row * rows) / count) * width;
      some.set(from.subarray(at, at + width), row * width);
    }
    return some;
  };
  const some = spread(x, dim);
  await initialise(flow, 'fit: data', levels > 0 ? some.map((k) => (k + 0.5) / levels) : some, context && spread(context, contextDim));
}

/** `fit`; see there. */
export async function runFit(flow: GpuFlow, data: Float32Array, options: FitOptions): Promise<FitResult> {
  const plan = planFit(flow, data, options);
  const { signal, onProgress, resume } = options;
  const { steps, levels } = plan.step;
  signal?.throwIfAborted();
  const saved = resume && readCheckpoint(flow, plan, resume);
  if (saved) await flow.replaceParameters(saved.fixed);
  else if (options.initialise !== false) await start(flow, plan);
  const progress: Progress = saved?.progress ?? { taken: 0, best: Number.POSITIVE_INFINITY, since: 0, validation: [] };
  // log P(k) ≥ log p((k + u) / levels) − D log levels.
  const shift = levels > 0 ? flow.dim * Math.log(levels) : 0;
  const trainer = new Trainer(flow, plan, progress.taken, saved?.buffers);
  try {
    await trainer.compile();
    const before = progress.taken;
    let seen = before;
    let block = 1;
    let failed: number | null = null;
    const began = performance.now();
    const measure = async () => {
      const loss = (await trainer.validationLoss()) + shift;
      progress.validation.push({ step: progress.taken, loss });
      if (loss < progress.best) {
        progress.best = loss;
        progress.since = 0;
        trainer.keep();
      } else progress.since++;
    };
    const report = async (learningRate: number, gradientNorm: number): Promise<FitProgress> => {
      const { taken, validation } = progress;
      const stepsPerSecond = (1000 * (taken - before)) / (performance.now() - began);
      return {
        step: taken,
        steps,
        loss: meanOf(await trainer.losses(seen, taken)) + shift,
        learningRate,
        gradientNorm,
        stepsPerSecond,
        secondsLeft: (steps - taken) / stepsPerSecond,
        ...(validation.length > 0 && { validationLoss: validation.at(-1)!.loss }),
        update: async () => flow.replaceParameters(await trainer.parameters(false)),
        state: async () => {
          const now = structuredClone(progress);
          return writeCheckpoint(flow, plan, now, await trainer.state());
        },
      };
    };
    if (plan.validation && progress.validation.length === 0) await measure();
    while (progress.taken < steps && failed === null && progress.since <= plan.patience && !signal?.aborted) {
      const next = plan.validation ? plan.validateEvery - (progress.taken % plan.validateEvery) : steps;
      const count = Math.min(block, steps - progress.taken, next);
      const submitted = performance.now();
      trainer.take(count);
      const standing = await trainer.standing();
      failed = standing.failed;
      if (failed !== null) break;
      progress.taken += count;
      const seconds = (performance.now() - submitted) / 1000;
      block = Math.max(1, Math.min(2 * block, Math.round((count * SUBMISSION) / seconds)));
      if (plan.validation && progress.taken % plan.validateEvery === 0) await measure();
      if (!onProgress) continue;
      await onProgress(await report(standing.learningRate, standing.gradientNorm));
      seen = progress.taken;
    }
    // Whatever ended it: the flow takes the best parameters that were seen, or the last good ones.
    await flow.replaceParameters(await trainer.parameters(plan.validation !== null));
    if (failed !== null)
      throw new StateError(
        `fit: the loss of step ${failed}, or its gradient, is not finite; the flow keeps the ${plan.validation ? 'best parameters before it' : `parameters of step ${failed - 1}`}`,
      );
    signal?.throwIfAborted();
    const losses = await trainer.losses(0, progress.taken);
    const loss = plan.validation ? progress.best : meanOf(losses.subarray(Math.floor(0.9 * (losses.length - 1)))) + shift;
    const bitsPerDim = loss / (flow.dim * Math.LN2);
    return { loss, history: thin(losses, shift), validation: progress.validation, ...(levels > 0 && { bitsPerDim }) };
  } finally {
    trainer.dispose();
  }
}
