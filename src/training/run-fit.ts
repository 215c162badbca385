// The loop of `fit`: steps in submissions of about a tenth of a second, a look at the device between them.

import type { GpuFlow } from '../flows/flow.js';
import { StateError } from '../runtime/errors.js';
import { type FitOptions, type FitProgress, planFit } from './fit-options.js';
import { Trainer } from './trainer.js';

export interface FitResult {
  /** Mean negative log-likelihood, nats: of the held-out rows, else of the minibatches of the last tenth of the steps. */
  readonly loss: number;
  /** Mean loss of the minibatches up to a step, at most 200 of them. */
  readonly history: { step: number; loss: number }[];
  readonly validation: { step: number; loss: number }[];
}

/** Seconds that one submission should take: the page's own work gets in between. */
const SUBMISSION = 0.1;
const POINTS = 200;

const meanOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Losses of the steps, averaged to at most POINTS. */
function thin(losses: Float32Array): { step: number; loss: number }[] {
  const width = Math.max(1, Math.ceil(losses.length / POINTS));
  const points: { step: number; loss: number }[] = [];
  for (let from = 0; from < losses.length; from += width) {
    const part = losses.subarray(from, from + width);
    points.push({ step: from + part.length, loss: meanOf(part) });
  }
  return points;
}

/** Calls `onProgress` and waits, for its promise and for an update that it asked for without waiting itself. */
async function report(
  onProgress: (progress: FitProgress) => unknown,
  progress: Omit<FitProgress, 'update'>,
  refresh: () => Promise<void>,
): Promise<void> {
  let update: Promise<void> | null = null;
  let over = false;
  try {
    await onProgress({
      ...progress,
      update: async () => {
        if (over)
          throw new StateError('progress.update: training has gone on; call it before onProgress returns or its promise is settled');
        update ??= refresh();
        await update;
      },
    });
  } finally {
    over = true;
    await update;
  }
}

/** `fit`; see there. */
export async function runFit(flow: GpuFlow, data: Float32Array, options: FitOptions): Promise<FitResult> {
  const plan = planFit(flow, data, options);
  const { signal, onProgress } = options;
  const { steps } = plan.step;
  signal?.throwIfAborted();
  const trainer = new Trainer(flow, plan.train, plan.validation, plan.step, plan.seed);
  try {
    await trainer.compile();
    const validation: { step: number; loss: number }[] = [];
    let best = Number.POSITIVE_INFINITY;
    let since = 0;
    let taken = 0;
    let seen = 0;
    let block = 1;
    let failed: number | null = null;
    let began = performance.now();
    const measure = async () => {
      const loss = await trainer.validationLoss(plan.held);
      validation.push({ step: taken, loss });
      if (loss < best) {
        best = loss;
        since = 0;
        trainer.keep();
      } else since++;
    };
    if (plan.validation) await measure();
    while (taken < steps && failed === null && since <= plan.patience && !signal?.aborted) {
      const next = plan.validation ? plan.validateEvery - (taken % plan.validateEvery) : steps;
      const count = Math.min(block, steps - taken, next);
      const start = performance.now();
      trainer.take(count);
      const standing = await trainer.standing();
      failed = standing.failed;
      if (failed !== null) break;
      taken += count;
      const seconds = (performance.now() - start) / 1000;
      block = Math.max(1, Math.min(2 * block, Math.round((count * SUBMISSION) / seconds)));
      if (plan.validation && taken % plan.validateEvery === 0) await measure();
      if (!onProgress) continue;
      const stepsPerSecond = (1000 * taken) / (performance.now() - began);
      const progress = {
        step: taken,
        steps,
        loss: meanOf(await trainer.losses(seen, taken)),
        learningRate: standing.learningRate,
        gradientNorm: standing.gradientNorm,
        stepsPerSecond,
        secondsLeft: (steps - taken) / stepsPerSecond,
        ...(validation.length > 0 && { validationLoss: validation.at(-1)!.loss }),
      };
      seen = taken;
      const reported = performance.now();
      await report(onProgress, progress, async () => flow.replaceParameters(await trainer.parameters(false)));
      began += performance.now() - reported;
    }
    // Whatever ended it: the flow takes the best parameters that were seen, or the last good ones.
    await flow.replaceParameters(await trainer.parameters(plan.validation !== null));
    if (failed !== null)
      throw new StateError(
        `fit: the loss of step ${failed}, or its gradient, is not finite; the flow keeps the ${plan.validation ? 'best parameters before it' : `parameters of step ${failed - 1}`}`,
      );
    signal?.throwIfAborted();
    const losses = await trainer.losses(0, taken);
    const loss = plan.validation ? best : meanOf(losses.subarray(Math.floor(0.9 * (losses.length - 1))));
    return { loss, history: thin(losses), validation };
  } finally {
    trainer.dispose();
  }
}
