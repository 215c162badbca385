// `fitTarget`: a check of the user's gradient, the loop, and what importance weights say of the result.

import type { GpuFlow } from '../flows/flow.js';
import { recordInput, recordOutput } from '../flows/task.js';
import { targetKernel } from '../kernels/target.js';
import { UnsupportedError, ValueError } from '../runtime/errors.js';
import { Recorder } from '../runtime/recorder.js';
import { runOnce } from '../runtime/residents.js';
import type { Measurement } from './checkpoint.js';
import { modelOf } from './model.js';
import { reverseKl } from './reverse-kl.js';
import { train } from './train.js';
import { resolveTraining, type TrainingOptions } from './training-options.js';

export interface Target {
  /**
   * WGSL of two functions: `fn log_density(x: array<f32, D>) -> f32`, in nats up to a constant, and
   * `fn log_density_gradient(x: array<f32, D>) -> array<f32, D>`, its gradient. D is declared. What else they need may stand beside them.
   */
  readonly wgsl: string;
}

export interface TargetResult {
  /** Mean of log q(x) − log p̃(x) over the minibatches of the last tenth of the steps, nats: KL(q ‖ p) − log Z. */
  readonly loss: number;
  readonly history: Measurement[];
  /** log Z of the target by importance sampling with 16 384 draws, nats. */
  readonly logZ: number;
  /** Effective sample size of those draws as a share: (mean w)² / mean w², 1 where q is p. */
  readonly efficiency: number;
}

const DRAWS = 16384;
/** Rows at which the gradient is compared with differences. */
const CHECKED = 32;

/** Values and gradients of the target at rows x [n, D]. */
async function evaluate(flow: GpuFlow, wgsl: string, x: Float32Array): Promise<{ value: Float32Array; slope: Float32Array }> {
  const { dim } = flow;
  const rows = x.length / dim;
  const r = new Recorder('target');
  const [value, slope] = [r.tiled(1, 'log p'), r.tiled(dim, 'slope')];
  r.run(targetKernel(dim, wgsl), { buffers: { x: recordInput(r, 'x', dim), value, slope }, params: {} });
  recordOutput(r, 'value', value);
  recordOutput(r, 'slope', slope);
  const outputs = { value: new Float32Array(rows), slope: new Float32Array(x.length) };
  await flow.runOnce('fitTarget: target', r.finish(), { x }, outputs);
  return outputs;
}

/**
 * Compares the gradient with central differences at draws of the flow, feature by feature. A difference in float32 is known to about
 * 1e-7 |log p̃| / h; what is beyond that by far, at most rows, is a mistake.
 */
async function checkGradient(flow: GpuFlow, wgsl: string, seed: number): Promise<void> {
  const { dim } = flow;
  const x = await flow.sample(CHECKED, { seed });
  const { value, slope } = await evaluate(flow, wgsl, x);
  const bad = value.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0)
    throw new ValueError(
      'fitTarget: log_density',
      'a finite number at every draw of the flow',
      `${value[bad]} at [${x.slice(bad * dim, (bad + 1) * dim).join(', ')}]`,
    );
  for (let f = 0; f < dim; f++) {
    const steps = Float32Array.from({ length: CHECKED }, (_, row) => 2 ** Math.round(Math.log2(1e-2 * (1 + Math.abs(x[row * dim + f]!)))));
    const moved = (sign: number) => x.map((v, at) => (at % dim === f ? v + sign * steps[Math.floor(at / dim)]! : v));
    const [up, down] = [await evaluate(flow, wgsl, moved(1)), await evaluate(flow, wgsl, moved(-1))];
    const off: { row: number; numeric: number }[] = [];
    for (let row = 0; row < CHECKED; row++) {
      const numeric = (up.value[row]! - down.value[row]!) / (2 * steps[row]!);
      const noise = (1e-6 * Math.abs(value[row]!)) / steps[row]!;
      const got = slope[row * dim + f]!;
      // The slope's own change over the step: a difference cannot know it better.
      const curved = Math.abs(up.slope[row * dim + f]! - down.slope[row * dim + f]!);
      const known = noise + 0.5 * curved + 0.02 * Math.abs(numeric) + 1e-3;
      if (!(Math.abs(got - numeric) <= known)) off.push({ row, numeric });
    }
    const [first] = off;
    if (first && off.length > CHECKED / 4)
      throw new ValueError(
        `fitTarget: log_density_gradient[${f}]`,
        `${first.numeric.toPrecision(3)} at [${x.slice(first.row * dim, (first.row + 1) * dim).join(', ')}], by differences of log_density`,
        `${slope[first.row * dim + f]}`,
      );
  }
}

/** log of the mean weight and the effective share of draws. */
async function weigh(flow: GpuFlow, wgsl: string, seed: number): Promise<Pick<TargetResult, 'logZ' | 'efficiency'>> {
  const { gpu, layers } = modelOf(flow);
  const r = new Recorder('target');
  recordOutput(r, 'term', reverseKl(flow.dim, wgsl).terms(r, layers));
  const term = new Float32Array(DRAWS);
  await runOnce(gpu, 'flow', 'fitTarget', r.finish(), { rows: DRAWS, seed, contextStride: 1, inputs: {}, outputs: { term } });
  const top = -term.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  let [sum, squares] = [0, 0];
  for (const value of term) {
    const weight = Math.exp(-value - top);
    sum += weight;
    squares += weight * weight;
  }
  return { logZ: top + Math.log(sum / DRAWS), efficiency: (sum * sum) / (DRAWS * squares) };
}

/** `fitTarget`; see there. */
export async function runTarget(flow: GpuFlow, { wgsl }: Target, options: TrainingOptions): Promise<TargetResult> {
  const model = modelOf(flow);
  const step = resolveTraining('fitTarget', model, options);
  if (flow.contextDim > 0) throw new UnsupportedError('fitTarget: flow', 'a context');
  if (flow.parts.bijector.hosted) throw new UnsupportedError('fitTarget: flow', 'a solve with error control');
  if (step.batchStatistics) throw new UnsupportedError('fitTarget: flow', 'batch norm by the statistics of draws; batchStatistics: false');
  options.signal?.throwIfAborted();
  if (!options.resume) await checkGradient(flow, wgsl, step.seed);
  const objective = reverseKl(flow.dim, wgsl);
  const { loss, history } = await train(model, { step, objective, validateEvery: 1, patience: 0 }, options);
  return { loss, history, ...(await weigh(flow, wgsl, step.seed)) };
}
