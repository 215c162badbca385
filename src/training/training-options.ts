// What every kind of training takes, and the checks of it.

import { check, checkInteger, checkOneOf, checkSeed } from '../flows/checks.js';
import { TILE } from '../runtime/tensor.js';
import type { Model } from './model.js';
import { statisticsOf } from './statistics.js';
import type { StepOptions } from './step.js';

export interface FitProgress {
  /** Steps taken, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Mean loss of the minibatches since the last call, nats. */
  readonly loss: number;
  /** Loss of the held-out rows, where there are some, when it was last measured. */
  readonly validationLoss?: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly stepsPerSecond: number;
  readonly secondsLeft: number;
  /**
   * Gives the flow the parameters of now, or their average, to look at it while it trains. Training waits for that.
   *
   * @throws StateError once `onProgress` has returned, or its promise is settled: training has gone on.
   */
  readonly update: () => Promise<void>;
  /** All of the run as it stands now, a safetensors file: `resume` goes on from it to the same bits. @throws StateError as `update`. */
  readonly state: () => Promise<Uint8Array>;
}

export interface TrainingOptions {
  /** Default 1000. */
  readonly steps?: number;
  /** Rows of a minibatch. Default 256. */
  readonly batch?: number;
  /** Pieces that a minibatch is taken in, their gradients added up: memory for rows / pieces. Default 1, or what the device's limits ask for. */
  readonly accumulate?: number;
  /** Default 1e-3. */
  readonly learningRate?: number;
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
  /**
   * Whether batch norms, between layers and inside networks, normalise by the rows of each minibatch, and their running statistics follow, as
   * PyTorch's do in training; else they keep the running ones. Default true.
   */
  readonly batchStatistics?: boolean;
  /**
   * Whether a step rebuilds the inputs of layers from their outputs on the way back and computes what lies inside them again, instead of
   * keeping it: memory that does not grow with the number of layers, for about half as much time again. Default false.
   * A number n keeps the input of every n-th layer, for flows whose inverse is not exact through all layers at once; docs/training.md
   * says which layers are rebuilt, and what that costs in precision.
   */
  readonly recompute?: boolean | number;
  /** Of the order of rows, and of noise. Default 0: the same seed, the same bits on one adapter. */
  readonly seed?: number;
  /** What `progress.state()` gave, for the same flow, data and options: training goes on from there. */
  readonly resume?: Uint8Array;
  readonly signal?: AbortSignal;
  /** About ten times a second. Training waits for a promise that it returns, and a pause is one that stays open; its time is not counted. */
  readonly onProgress?: (progress: FitProgress) => unknown;
}

/** Defaults filled in. @param place what errors call it. @throws ValueError */
export function resolveTraining(place: string, model: Model, options: TrainingOptions): StepOptions {
  const { steps = 1000, batch = 256, accumulate = 1, warmup = 0, weightDecay = 0, clipNorm = 5, learningRate = 1e-3, average } = options;
  const { optimiser = weightDecay > 0 ? 'adamw' : 'adam', schedule = 'cosine', seed = 0, recompute = false } = options;
  const batchStatistics = options.batchStatistics !== false && statisticsOf(model).length > 0;
  checkInteger(`${place}: steps`, steps, 1);
  checkInteger(`${place}: batch`, batch, 1);
  check(batch > 1 || !batchStatistics, `${place}: batch`, 'at least 2 rows, of which batch norm takes the deviation', batch);
  checkInteger(`${place}: accumulate`, accumulate, 1);
  if (typeof recompute !== 'boolean') checkInteger(`${place}: recompute`, recompute, 1);
  checkInteger(`${place}: warmup`, warmup, 0);
  check(learningRate > 0 && Number.isFinite(learningRate), `${place}: learningRate`, 'a number above 0', learningRate);
  check(clipNorm > 0, `${place}: clipNorm`, 'a number above 0', clipNorm);
  check(weightDecay >= 0 && Number.isFinite(weightDecay), `${place}: weightDecay`, 'a number of at least 0', weightDecay);
  check(average === undefined || (average > 0 && average < 1), `${place}: average`, 'a number above 0 and below 1', average);
  checkOneOf(`${place}: optimiser`, optimiser, ['adam', 'adamw', 'sgd']);
  checkOneOf(`${place}: schedule`, schedule, ['constant', 'cosine', 'step']);
  return {
    steps,
    batch,
    seed: checkSeed(place, seed),
    rowsAtOnce: TILE * Math.ceil(batch / accumulate / TILE),
    batchStatistics,
    recompute,
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
  };
}
