// The programs of training: one step of an optimiser, and the mean loss of a held-out set, both over parameters on the device.

import { BoxUniform } from '../flows/bases/box-uniform.js';
import type { GpuFlow } from '../flows/flow.js';
import { recordInput } from '../flows/task.js';
import { dequantization } from '../kernels/dequantize.js';
import { recordColumnSums } from '../kernels/linear-backward.js';
import { halfBits, minibatch } from '../kernels/minibatch.js';
import { METHOD_NUMBER, NORM_BLOCK, optimiser, SCHEDULE_NUMBER } from '../kernels/optimiser.js';
import type { Program } from '../runtime/program.js';
import { Recorder } from '../runtime/recorder.js';
import type { TableTensor, TiledTensor } from '../runtime/tensor.js';
import { recordClear } from './differentiate.js';
import { recordFlatGradient } from './gradients.js';
import { statisticsOf } from './statistics.js';
import { type ParameterLayout, recordTrainable } from './trainable.js';

export interface Optimiser {
  readonly method: keyof typeof METHOD_NUMBER;
  readonly schedule: keyof typeof SCHEDULE_NUMBER;
  readonly learningRate: number;
  /** Momentum of SGD. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
  /** Largest norm of a gradient. */
  readonly clip: number;
  readonly warmup: number;
  /** Cosine: the last rate beside the first. Step: what each stair multiplies by. */
  readonly floorOrFactor: number;
  readonly every: number;
  /** Decay of the moving average of the parameters; 0 for none. */
  readonly average: number;
}

export interface StepOptions extends Optimiser {
  readonly steps: number;
  readonly batch: number;
  /** Rows of the data set. */
  readonly count: number;
  /** Of the order of rows, and of noise. */
  readonly seed: number;
  /** Of integer data; 0 where they are numbers. */
  readonly levels: number;
  /** Rows of a batch that are in memory at once, a multiple of 64. */
  readonly rowsAtOnce: number;
  /** Whether batch norms take their statistics from the rows at once, as PyTorch's do in training, or keep the running ones. */
  readonly batchStatistics: boolean;
}

/** Records (k + u) / levels with u uniform in (0, 1), by the seed of the call. */
function recordNoise(r: Recorder, k: TiledTensor, levels: number): TiledTensor {
  const all = (value: number) => new Float32Array(k.features).fill(value);
  const y = r.tiled(k.features, 'dequantized');
  r.run(dequantization.dequantize, {
    buffers: { x: k, u: new BoxUniform(all(0), all(1)).sample(r), y },
    params: { features: k.features, levels, step: 1 / levels },
  });
  return y;
}

/** Records the sum over rows of −log p into a table of one number. */
function recordLoss(r: Recorder, logProb: TiledTensor): TableTensor {
  const total = r.table(1, 'loss');
  recordClear(r, total);
  recordColumnSums(r, logProb, total, { factor: -1 });
  return total;
}

/**
 * One step: a minibatch gathered out of the external `xs` (and `contexts`), its gradient, the optimiser's update of `parameters`. Externals
 * besides: `gradient`, `moment1`, `moment2` [count], `control` and `losses` of shaders/optimiser.wgsl.
 */
export function recordStep(flow: GpuFlow, layout: ParameterLayout, options: StepOptions): Program {
  const r = new Recorder('step');
  const { batch, count, steps, seed, levels } = options;
  const order = { count, half_bits: halfBits(count), seed_low: seed % 2 ** 32, seed_high: Math.floor(seed / 2 ** 32) };
  const density = recordTrainable(r, flow, layout, {
    input: (inner, name, features) => {
      const y = inner.tiled(features, name);
      inner.run(minibatch, { buffers: { data: inner.external(`${name}s`, 0), y }, params: { features, ...order } });
      return levels > 0 && name === 'x' ? recordNoise(inner, y, levels) : y;
    },
    ...(options.batchStatistics && { statistics: { layout: statisticsOf(flow), from: 'rows' } }),
  });
  const loss = recordLoss(r, density.logProb);
  recordFlatGradient(r, density, layout.count, 1 / batch);
  r.once('after', () => {
    const blocks = Math.ceil(layout.count / NORM_BLOCK);
    const params = {
      length: layout.count,
      blocks,
      batch,
      total: steps,
      warmup: options.warmup,
      every: options.every,
      learning_rate: options.learningRate,
      floor_or_factor: options.floorOrFactor,
      beta1: options.beta1,
      beta2: options.beta2,
      epsilon: options.epsilon,
      decay: options.decay,
      clip: options.clip,
      average_decay: options.average,
    };
    const table = (name: string) => r.external(name, 0);
    const partial = r.table(blocks, 'squares');
    r.run(optimiser.squareSums, { buffers: { gradient: table('gradient'), parts: partial }, params });
    r.run(optimiser.control, {
      buffers: { control_state: table('control'), loss, losses: table('losses'), partial },
      params,
      constants: { SCHEDULE: SCHEDULE_NUMBER[options.schedule] },
    });
    r.run(optimiser.update, {
      buffers: {
        gradient: table('gradient'),
        settled: table('control'),
        parameters: density.parameters,
        moment1: table('moment1'),
        moment2: table('moment2'),
        average: options.average > 0 ? table('average') : r.table(1, 'unused'),
        decays: r.constant(decaysOf(layout), 'decays'),
      },
      params,
      constants: { METHOD: METHOD_NUMBER[options.method], AVERAGE: options.average > 0 },
    });
  });
  return r.finish();
}

/** The sum over rows of −log p(x) at the parameters of the external, in the external `loss`. */
export function recordEvaluation(
  flow: GpuFlow,
  layout: ParameterLayout,
  { levels, batchStatistics }: Pick<StepOptions, 'levels' | 'batchStatistics'>,
): Program {
  const r = new Recorder('evaluation');
  const { logProb } = recordTrainable(r, flow, layout, {
    input: (inner, name, features) => {
      const given = recordInput(inner, name, features);
      return levels > 0 && name === 'x' ? recordNoise(inner, given, levels) : given;
    },
    ...(batchStatistics && { statistics: { layout: statisticsOf(flow), from: 'running' } }),
  });
  recordColumnSums(r, logProb, r.external('loss', 0), { factor: -1 });
  return r.finish();
}

/** Weight decay leaves vectors alone: biases, scales, shifts. */
function decaysOf({ count, tensors }: ParameterLayout): Float32Array<ArrayBuffer> {
  const decays = new Float32Array(count);
  for (const { from, length, shape } of tensors) if (shape.length > 1) decays.fill(1, from, from + length);
  return decays;
}
