// The programs of training: one step of an optimiser, and the loss of held-out rows, both over parameters on the device.

import { recordColumnSums } from '../kernels/linear-backward.js';
import { countedBy, METHOD_NUMBER, optimiser, SCHEDULE_NUMBER, squareBlocks } from '../kernels/optimiser.js';
import type { Program } from '../runtime/program.js';
import { Recorder } from '../runtime/recorder.js';
import { recordCleared, recordFlatGradient, recordPackedGradient } from './gradients.js';
import { joined } from './joined.js';
import type { Model } from './model.js';
import type { Objective } from './objective.js';
import { flatOrder, kindsIn, type ParameterOrder } from './order.js';
import { finish, type Recompute } from './recompute.js';
import { type StatisticsSource, statisticsOf } from './statistics.js';
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
  /** Of the order of rows, and of noise. */
  readonly seed: number;
  /** Rows of a batch that are in memory at once, a multiple of 64. */
  readonly rowsAtOnce: number;
  /** Whether batch norms take their statistics from the rows at once, as PyTorch's do in training, or keep the running ones. */
  readonly batchStatistics: boolean;
  readonly recompute: Recompute;
}

/** Names of the moments that the method keeps. */
export const momentsOf = ({ method, beta1 }: Optimiser): readonly string[] =>
  method === 'sgd' ? (beta1 > 0 ? ['moment1'] : []) : ['moment1', 'moment2'];

const statisticsFrom = (model: Model, { batchStatistics }: StepOptions, from: StatisticsSource['from']): StatisticsSource | undefined =>
  batchStatistics ? { layout: statisticsOf(model), from } : undefined;

/**
 * One step: the terms of a minibatch, their gradient, the optimiser's update of `parameters`. Externals besides those of the objective:
 * `parameters`, `moment1`, `moment2` and `average` in the order that it gives, `control` and `losses` of shaders/optimiser.wgsl, `statistics`.
 */
export function recordStep<L>(
  model: Model<L>,
  layout: ParameterLayout,
  options: StepOptions,
  { terms, sign }: Objective<L>,
): { readonly program: Program; readonly order: ParameterOrder } {
  const r = new Recorder('step');
  const { batch, steps } = options;
  const trainable = recordTrainable(r, model, layout, terms, {
    statistics: statisticsFrom(model, options, 'rows'),
    recompute: options.recompute,
    order: 'packed',
  });
  const order = trainable.gathered?.order ?? flatOrder(layout);
  const cleared = recordCleared(r, trainable);
  const { packed, loss } = cleared;
  recordColumnSums(r, trainable.ends, loss, { factor: sign });
  const gradient = order.packed ? packed : r.table(order.length, 'gradient');
  if (order.packed) recordPackedGradient(r, trainable.ends, trainable, sign, packed);
  else recordFlatGradient(r, trainable.ends, trainable, layout.count, sign, gradient, cleared);
  r.once('after', () => {
    const kinds = kindsIn(order, layout);
    const length = countedBy(kinds);
    const blocks = squareBlocks(length);
    const params = {
      length,
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
    const moments = momentsOf(options);
    const momentOf = (name: string) => (moments.includes(name) ? table(name) : r.table(1, 'unused'));
    const pieces = r.table(blocks, 'squares');
    const counted = r.constant(kinds, 'kinds');
    r.run(optimiser.squareSums, { buffers: { gradient, kinds: counted, parts: pieces }, params });
    r.run(optimiser.control, {
      buffers: { control_state: table('control'), loss, losses: table('losses'), pieces },
      params,
      constants: { SCHEDULE: SCHEDULE_NUMBER[options.schedule] },
    });
    r.run(optimiser.update, {
      buffers: {
        gradient,
        settled: table('control'),
        parameters: trainable.parameters,
        moment1: momentOf('moment1'),
        moment2: momentOf('moment2'),
        average: options.average > 0 ? table('average') : r.table(1, 'unused'),
        kinds: counted,
      },
      params,
      constants: { METHOD: METHOD_NUMBER[options.method], AVERAGE: options.average > 0, MOMENTUM: moments.includes('moment1') },
    });
  });
  return { program: finish(joined(r.commands)), order };
}

/** The sum over held-out rows of sign · terms at the parameters of the external, which lie in this order, added to the external `loss`. */
export function recordEvaluation<L>(
  model: Model<L>,
  layout: ParameterLayout,
  options: StepOptions,
  { heldOut, sign }: Objective<L>,
  order: ParameterOrder,
): Program {
  const r = new Recorder('evaluation');
  const { ends } = recordTrainable(r, model, layout, heldOut!.terms, { statistics: statisticsFrom(model, options, 'running'), order });
  recordColumnSums(r, ends, r.external('loss', 0), { factor: sign });
  return r.finish();
}
