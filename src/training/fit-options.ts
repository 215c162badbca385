// What `fit` takes, and the checks of it.

import { check, checkContext, checkInteger, checkIntegers, checkRows, refuse } from '../flows/checks.js';
import type { GpuFlow } from '../flows/flow.js';
import { ValueError } from '../runtime/errors.js';
import { type DataSet, likelihood } from './likelihood.js';
import { type FlowLayers, modelOf } from './model.js';
import type { Plan } from './train.js';
import { resolveTraining, type TrainingOptions } from './training-options.js';

export interface FitOptions extends TrainingOptions {
  /** Rows of a minibatch. Default 256, or all where there are fewer. */
  readonly batch?: number;
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
  /** The data are integers 0 … levels − 1, to which every step adds new noise: u uniform in (0, 1), x = (k + u) / levels. Default none. */
  readonly levels?: number;
  /** Whether ActNorm and batch norm that are still the identity take their statistics from the data first. Default true. */
  readonly initialise?: boolean;
}

export interface FitPlan extends Plan<FlowLayers> {
  readonly train: DataSet;
  /** 0 where the data are numbers. */
  readonly levels: number;
}

type Widths = Pick<GpuFlow, 'dim' | 'contextDim'>;

/** Rows `from` to `to` of a data set. */
const rowsOf = ({ x, context }: DataSet, dim: number, contextDim: number, from: number, to: number): DataSet => ({
  x: x.slice(from * dim, to * dim),
  context: context?.slice(from * contextDim, to * contextDim),
});

const checkFinite = (place: string, data: Float32Array): void => {
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new ValueError(place, 'finite numbers', `${data[bad]} at ${bad}`);
};

function checkData(place: string, flow: Widths, { x, context }: DataSet, levels: number | undefined): number {
  const rows = checkRows(place, x, flow.dim);
  checkContext(place, context, flow.contextDim, rows);
  if (context && context.length !== rows * flow.contextDim)
    refuse(`${place}: context`, `a row for each of the ${rows} rows, [${rows}, ${flow.contextDim}]`, context);
  if (levels === undefined) checkFinite(place, x);
  else checkIntegers(place, x, flow.dim, levels);
  if (context) checkFinite(`${place}: context`, context);
  return rows;
}

/** The rows to train on, and those held out. @throws ShapeError, ValueError */
export function divide(flow: Widths, data: Float32Array, options: FitOptions) {
  const { dim, contextDim } = flow;
  const { validation: share, levels } = options;
  const whole: DataSet = { x: data, context: options.context };
  const rows = checkData('fit: data', flow, whole, levels);
  check(rows > 0, 'fit: data', 'at least one row', '0 rows');
  if (share === undefined) return { train: whole, validation: null, count: rows };
  if (typeof share === 'number') {
    check(share > 0 && share < 1, 'fit: validation', 'a share above 0 and below 1, or rows', share);
    const held = Math.min(rows - 1, Math.max(1, Math.round(share * rows)));
    check(held > 0, 'fit: data', 'at least two rows, one to hold out', '1 row');
    const count = rows - held;
    const validation = { ...rowsOf(whole, dim, contextDim, count, rows), rows: held };
    return { train: rowsOf(whole, dim, contextDim, 0, count), validation, count };
  }
  const given: DataSet = { x: share, context: options.validationContext };
  const held = checkData('fit: validation', flow, given, levels);
  check(held > 0, 'fit: validation', 'at least one row', '0 rows');
  return { train: whole, validation: { ...given, rows: held }, count: rows };
}

/** When held-out rows are measured, and when that ends training. @throws ValueError */
export function resolveStops(options: Pick<FitOptions, 'validateEvery' | 'patience'>, steps: number) {
  const { validateEvery = Math.max(1, Math.round(steps / 20)), patience = Number.POSITIVE_INFINITY } = options;
  checkInteger('fit: validateEvery', validateEvery, 1);
  check(patience >= 0, 'fit: patience', 'a number of at least 0', patience);
  return { validateEvery, patience };
}

/** @throws ShapeError, ValueError */
export function planFit(flow: GpuFlow, data: Float32Array, options: FitOptions): FitPlan {
  const { levels } = options;
  if (levels !== undefined) checkInteger('fit: levels', levels, 2, 65536);
  const { train, validation, count } = divide(flow, data, options);
  const step = resolveTraining('fit', modelOf(flow), { ...options, batch: options.batch ?? Math.min(256, count) });
  const noise = { levels: levels ?? 0, dim: flow.dim };
  return {
    train,
    ...noise,
    step,
    ...resolveStops(options, step.steps),
    objective: likelihood(train, validation, { count, seed: step.seed, ...noise }),
  };
}
