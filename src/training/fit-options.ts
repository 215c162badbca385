// What `fit` takes, and the checks of it.

import { check, checkContext, checkInteger, checkIntegers, checkOneOf, checkRows, checkSeed, refuse } from '../flows/checks.js';
import type { GpuFlow } from '../flows/flow.js';
import { ValueError } from '../runtime/errors.js';
import { TILE } from '../runtime/tensor.js';
import { statisticsOf } from './statistics.js';
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
  /** Gives the flow the parameters of now, or their average: to look at it while it trains. */
  readonly update: () => Promise<void>;
  /** All of the run as it stands now, a safetensors file: `resume` goes on from it to the same bits. */
  readonly state: () => Promise<Uint8Array>;
}

export interface FitOptions {
  /** Default 1000. */
  readonly steps?: number;
  /** Rows of a minibatch. Default 256, or all where there are fewer. */
  readonly batch?: number;
  /** Pieces that a minibatch is taken in, their gradients added up: memory for rows / pieces. Default 1, or what the device's limits ask for. */
  readonly accumulate?: number;
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
  /** Decay d of an exponential moving average of the parameters, in (0, 1): the flow takes the average, and held-out rows measure it. Default none. */
  readonly average?: number;
  /** The data are integers 0 … levels − 1, to which every step adds new noise: u uniform in (0, 1), x = (k + u) / levels. Default none. */
  readonly levels?: number;
  /** Whether ActNorm and batch norm that are still the identity take their statistics from the data first. Default true. */
  readonly initialise?: boolean;
  /**
   * Whether batch norms between layers normalise by the rows of each minibatch, and their running statistics follow, as PyTorch's do in
   * training; else they keep the running ones. Default true.
   */
  readonly batchStatistics?: boolean;
  /** Of the order of rows, and of noise. Default 0: the same seed, the same bits on one adapter. */
  readonly seed?: number;
  /** What `progress.state()` gave, for the same flow, data and options: training goes on from there. */
  readonly resume?: Uint8Array;
  readonly signal?: AbortSignal;
  /** Called about ten times a second. Where it returns a promise, training waits for it: a pause. */
  readonly onProgress?: (progress: FitProgress) => unknown;
}

export interface FitPlan {
  readonly train: DataSet;
  readonly validation: DataSet | null;
  readonly held: number;
  readonly step: StepOptions;
  readonly validateEvery: number;
  readonly patience: number;
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

function checkData(place: string, flow: GpuFlow, { x, context }: DataSet, levels: number | undefined): number {
  const rows = checkRows(place, x, flow.dim);
  checkContext(place, context, flow.contextDim, rows);
  if (context && context.length !== rows * flow.contextDim)
    refuse(`${place}: context`, `a row for each of the ${rows} rows, [${rows}, ${flow.contextDim}]`, context);
  if (levels === undefined) checkFinite(place, x);
  else checkIntegers(place, x, flow.dim, levels);
  if (context) checkFinite(`${place}: context`, context);
  return rows;
}

/** The rows to train on, and those held out. */
function divide(
  flow: GpuFlow,
  data: Float32Array,
  options: FitOptions,
): Pick<FitPlan, 'train' | 'validation' | 'held'> & { count: number } {
  const { dim, contextDim } = flow;
  const { validation: share, levels } = options;
  const whole: DataSet = { x: data, context: options.context };
  const rows = checkData('fit: data', flow, whole, levels);
  check(rows > 0, 'fit: data', 'at least one row', '0 rows');
  if (share === undefined) return { train: whole, validation: null, held: 0, count: rows };
  if (typeof share === 'number') {
    check(share > 0 && share < 1, 'fit: validation', 'a share above 0 and below 1, or rows', share);
    const held = Math.min(rows - 1, Math.max(1, Math.round(share * rows)));
    check(held > 0, 'fit: data', 'at least two rows, one to hold out', '1 row');
    const count = rows - held;
    return { train: rowsOf(whole, dim, contextDim, 0, count), validation: rowsOf(whole, dim, contextDim, count, rows), held, count };
  }
  const validation: DataSet = { x: share, context: options.validationContext };
  const held = checkData('fit: validation', flow, validation, levels);
  check(held > 0, 'fit: validation', 'at least one row', '0 rows');
  return { train: whole, validation, held, count: rows };
}

/** @throws ShapeError, ValueError */
export function planFit(flow: GpuFlow, data: Float32Array, options: FitOptions): FitPlan {
  const { levels, average, accumulate = 1 } = options;
  const batchStatistics = options.batchStatistics !== false && statisticsOf(flow).length > 0;
  if (levels !== undefined) checkInteger('fit: levels', levels, 2, 65536);
  const { count, ...sets } = divide(flow, data, options);
  const { steps = 1000, batch = Math.min(256, count), warmup = 0, weightDecay = 0, clipNorm = 5, learningRate = 1e-3 } = options;
  const { optimiser = weightDecay > 0 ? 'adamw' : 'adam', schedule = 'cosine' } = options;
  checkInteger('fit: steps', steps, 1);
  checkInteger('fit: batch', batch, 1);
  check(batch > 1 || !batchStatistics, 'fit: batch', 'at least 2 rows, of which batch norm takes the deviation', batch);
  checkInteger('fit: accumulate', accumulate, 1);
  checkInteger('fit: warmup', warmup, 0);
  const { validateEvery = Math.max(1, Math.round(steps / 20)), patience = Number.POSITIVE_INFINITY } = options;
  checkInteger('fit: validateEvery', validateEvery, 1);
  check(patience >= 0, 'fit: patience', 'a number of at least 0', patience);
  check(learningRate > 0 && Number.isFinite(learningRate), 'fit: learningRate', 'a number above 0', learningRate);
  check(clipNorm > 0, 'fit: clipNorm', 'a number above 0', clipNorm);
  check(weightDecay >= 0 && Number.isFinite(weightDecay), 'fit: weightDecay', 'a number of at least 0', weightDecay);
  check(average === undefined || (average > 0 && average < 1), 'fit: average', 'a number above 0 and below 1', average);
  checkOneOf('fit: optimiser', optimiser, ['adam', 'adamw', 'sgd']);
  checkOneOf('fit: schedule', schedule, ['constant', 'cosine', 'step']);
  return {
    ...sets,
    validateEvery,
    patience,
    step: {
      steps,
      batch,
      count,
      seed: checkSeed('fit', options.seed ?? 0),
      levels: levels ?? 0,
      rowsAtOnce: TILE * Math.ceil(batch / accumulate / TILE),
      batchStatistics,
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
      average: average ?? 0,
    },
  };
}
