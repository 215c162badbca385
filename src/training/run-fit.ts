// `fit`: a start from the data, then the loop.

import type { GpuFlow } from '../flows/flow.js';
import type { Measurement } from './checkpoint.js';
import { type FitOptions, type FitPlan, planFit } from './fit-options.js';
import { initialise } from './initialise.js';
import { firstOverflow } from './layers.js';
import { modelOf } from './model.js';
import { train } from './train.js';

export interface FitResult {
  /** Mean negative log-likelihood, nats: of the held-out rows, else of the minibatches of the last tenth of the steps. */
  readonly loss: number;
  /** The same as bits for each feature, where the data are integers. */
  readonly bitsPerDim?: number;
  /** Mean loss of the minibatches up to a step, at most 200 of them. */
  readonly history: Measurement[];
  readonly validation: Measurement[];
}

/** Rows from which layers that normalise take their start. */
const START_ROWS = 4096;

/**
 * (k + u) / levels, with u in (0, 1) evenly spread over the entries: a feature that is one integer in every row has the deviation of its noise.
 * Kept below 1, to which float32 would round some of the last cell.
 */
const spreadNoise = (k: Float32Array, levels: number): Float32Array =>
  k.map((integer, at) => Math.min((integer + (((at + 1) * GOLDEN) % 1)) / levels, 1 - 2 ** -24));

/** Multiples of it, modulo 1, are spread evenly, and so is every n-th of them. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Rows spread over the data, of integers with noise. */
async function start(flow: GpuFlow, { train: { x, context }, levels }: FitPlan): Promise<void> {
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
  await initialise(flow, 'fit: data', levels > 0 ? spreadNoise(some, levels) : some, context && spread(context, contextDim));
}

/** `fit`; see there. */
export async function runFit(flow: GpuFlow, data: Float32Array, options: FitOptions): Promise<FitResult> {
  const plan = planFit(flow, data, options);
  options.signal?.throwIfAborted();
  if (!options.resume && options.initialise !== false) await start(flow, plan);
  const { x, context } = plan.train;
  // With noise the rows are others each step; what they come from tells as much.
  const scaled = () => (plan.levels > 0 ? x.map((k) => (k + 0.5) / plan.levels) : x);
  const objective = { ...plan.objective, locate: () => firstOverflow(flow, scaled(), context) };
  const { loss, history, validation } = await train(modelOf(flow), { ...plan, objective }, options);
  return { loss, history, validation, ...(plan.levels > 0 && { bitsPerDim: loss / (flow.dim * Math.LN2) }) };
}
