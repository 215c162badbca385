// What `fit` takes, and the checks of it.

import { check, checkContext, checkInteger, checkOneOf, checkRows, checkSeed, refuse } from '../flows/checks.js';
import type { GpuFlow } from '../flows/flow.js';
import { ValueError } from '../runtime/errors.js';
import type { StepOptions } from './step.js';
import type { DataSet } from './trainer.js';

export interface FitProgress {
  /** Steps taken, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Mean −log p over the minibatches since the last call, nats. */
  readonly loss: number;
  /** Mean −log p of the held-out rows, where there are some, when it was last measured. */
  readonly validationLoss?: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly stepsPerSecond: number;
  readonly secondsLeft: number;
  /**
   * Puts the parameters as they are now into the flow, to watch it while it trains. Training waits for that.
   *
   * @throws StateError once `onProgress` has returned, or its promise is settled: training has gone on.
   */
  update(): Promise<void>;
}

export interface FitOptions {
  /** Default 1000. */
  readonly steps?: number;
  /** Rows of a minibatch. Default 256, or all where there are fewer. */
  readonly batch?: number;
  /** Default 1e-3. */
  readonly learningRate?: number;
  /** Row-major [n, C], a row for each of the data. */
  readonly context?: Float32Array;
  /** Held-out rows [m, D], or the share of the data to hold out, above 0 and below 1. Default none. */
  readonly validation?: Float32Array | number;
  /** Context of the held-out rows where those are given, [m, C]. */
  readonly validationContext?: Float32Array;
  /** Steps between two measurements of the held-out rows. Default steps / 20. */
  readonly validateEvery?: number;
  /** Measurements without a better one after which training stops. Default: it goes on. */
  readonly patience?: number;
  /** Largest norm of a gradient; a larger one is scaled down to it. Default 5. */
  readonly clipNorm?: number;
  /** Default 'adam'; 'adamw' where there is weight decay. */
  readonly optimiser?: 'adam' | 'adamw' | 'sgd';
  /** Of matrices, not of vectors. Default 0. */
  readonly weightDecay?: number;
  /** Default 'cosine', down to 0. */
  readonly schedule?: 'constant' | 'cosine' | 'step';
  /** Steps of a linear rise of the learning rate. Default 0. */
  readonly warmup?: number;
  /** Of the order of rows. Default 0: the same seed, the same bits on one adapter. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** About ten times a second. Training waits for a promise that it returns, and a pause is one that stays open; its time is not counted. */
  readonly onProgress?: (progress: FitProgress) => unknown;
}

export interface FitPlan {
  readonly train: DataSet;
  readonly validation: DataSet | null;
  readonly held: number;
  readonly step: StepOptions;
  readonly validateEvery: number;
  readonly patience: number;
  readonly seed: number;
}

/** Rows `from` to `to` of a data set. */
const rowsOf = ({ x, context }: DataSet, dim: number, contextDim: number, from: number, to: number): DataSet => ({
  x: x.slice(from * dim, to * dim),
  context: context?.slice(from * contextDim, to * contextDim),
});

const checkFinite = (place: string, data: Float32Array): void => {
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new ValueError(place, 'finite numbers', `${data[bad]} at ${bad}`);
};

function checkData(place: string, flow: GpuFlow, x: Float32Array, context: Float32Array | undefined): number {
  const rows = checkRows(place, x, flow.dim);
  checkContext(place, context, flow.contextDim, rows);
  if (context && context.length !== rows * flow.contextDim)
    refuse(`${place}: context`, `a row for each of the ${rows} rows, [${rows}, ${flow.contextDim}]`, context);
  checkFinite(place, x);
  if (context) checkFinite(`${place}: context`, context);
  return rows;
}

/** @throws ShapeError, ValueError */
export function planFit(flow: GpuFlow, data: Float32Array, options: FitOptions): FitPlan {
  const { dim, contextDim } = flow;
  const rows = checkData('fit: data', flow, data, options.context);
  check(rows > 0, 'fit: data', 'at least one row', '0 rows');
  const whole: DataSet = { x: data, context: options.context };
  let train = whole;
  let validation: DataSet | null = null;
  let held = 0;
  if (typeof options.validation === 'number') {
    const share = options.validation;
    check(share > 0 && share < 1, 'fit: validation', 'a share above 0 and below 1, or rows', share);
    held = Math.min(rows - 1, Math.max(1, Math.round(share * rows)));
    train = rowsOf(whole, dim, contextDim, 0, rows - held);
    validation = rowsOf(whole, dim, contextDim, rows - held, rows);
  } else if (options.validation) {
    held = checkData('fit: validation', flow, options.validation, options.validationContext);
    check(held > 0, 'fit: validation', 'at least one row', '0 rows');
    validation = { x: options.validation, context: options.validationContext };
  }
  const count = rows - (typeof options.validation === 'number' ? held : 0);
  const { steps = 1000, batch = Math.min(256, count), warmup = 0, weightDecay = 0, clipNorm = 5, learningRate = 1e-3 } = options;
  const { optimiser = weightDecay > 0 ? 'adamw' : 'adam', schedule = 'cosine' } = options;
  checkInteger('fit: steps', steps, 1);
  checkInteger('fit: batch', batch, 1);
  checkInteger('fit: warmup', warmup, 0);
  const validateEvery = options.validateEvery ?? Math.max(1, Math.round(steps / 20));
  checkInteger('fit: validateEvery', validateEvery, 1);
  check(learningRate > 0 && Number.isFinite(learningRate), 'fit: learningRate', 'a number above 0', learningRate);
  check(clipNorm > 0, 'fit: clipNorm', 'a number above 0', clipNorm);
  check(weightDecay >= 0, 'fit: weightDecay', 'a number of at least 0', weightDecay);
  checkOneOf('fit: optimiser', optimiser, ['adam', 'adamw', 'sgd']);
  checkOneOf('fit: schedule', schedule, ['constant', 'cosine', 'step']);
  return {
    train,
    validation,
    held,
    validateEvery,
    patience: options.patience ?? Number.POSITIVE_INFINITY,
    seed: checkSeed('fit', options.seed ?? 0),
    step: {
      steps,
      batch,
      count,
      method: optimiser,
      schedule,
      learningRate,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      decay: weightDecay,
      clip: Math.min(clipNorm, 3e38),
      warmup,
      floorOrFactor: schedule === 'step' ? 0.1 : 0,
      every: Math.max(1, Math.ceil((steps - warmup) / 3)),
    },
  };
}
