import type { StoredTensor } from '../../format/safetensors.js';
import { ValueError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import { checkInteger, checkOneOf } from '../checks.js';
import { type Flow, GpuFlow, ownFlow } from '../flow.js';
import { maf } from '../recipes/autoregressive.js';
import { TensorWriter } from '../recipes/initial.js';
import { assemble } from './build.js';
import { recurrentShapes } from './recurrent.js';
import type { TemporalFlow } from './temporal-flow.js';

interface RecurrentOptions {
  /** Layers of the recurrent network. Default 1. */
  readonly lstmLayers?: number;
  /** Default 'lstm'. */
  readonly cell?: 'lstm' | 'gru';
  /** K: numbers that are known at every step, the coming ones too: the hour, the weekday. Default 0. */
  readonly covariates?: number;
  /** 'mean' divides each feature of a series by its mean absolute value, whose logarithm the log-det takes in. Default 'none'. */
  readonly scaling?: 'none' | 'mean';
  /** Seed of the initial weights. Default 0. */
  readonly seed?: number;
}

export interface TemporalOptions extends RecurrentOptions {
  /**
   * The density of a step: any conditional flow, whose context is the recurrent state, or that and the covariates. Its width less
   * `covariates` is the state's, unless `hidden` says otherwise. The temporal flow copies it: it stays the caller's.
   */
  readonly flow: Flow;
  /** H. Default: the flow's contextDim less the covariates. */
  readonly hidden?: number;
}

export interface TemporalMafOptions extends RecurrentOptions {
  /** D: features of a step. */
  readonly dim: number;
  /** H: width of the recurrent state. Default 40. */
  readonly hidden?: number;
  /** The MAF of a step. Default 3 layers with hidden [64, 64]. */
  readonly flow?: { readonly layers?: number; readonly hidden?: readonly number[] };
}

function build(gpu: Gpu, recipe: string, options: RecurrentOptions & { readonly flow: GpuFlow; readonly hidden: number }): TemporalFlow {
  const { flow, hidden, covariates = 0, lstmLayers = 1, cell = 'lstm', scaling = 'none', seed = 0 } = options;
  checkInteger(`${recipe}: hidden`, hidden, 1);
  checkInteger(`${recipe}: lstmLayers`, lstmLayers, 1);
  checkInteger(`${recipe}: seed`, seed, 0);
  checkOneOf(`${recipe}: cell`, cell, ['lstm', 'gru']);
  checkOneOf(`${recipe}: scaling`, scaling, ['none', 'mean']);
  const writer = new TensorWriter(seed);
  for (let layer = 0; layer < lstmLayers; layer++) {
    const shapes = recurrentShapes(cell, layer, layer === 0 ? flow.dim + covariates : hidden, hidden);
    for (const [name, shape] of Object.values(shapes)) writer.draw(`${cell}.${name}`, [...shape], hidden); // as torch.nn.LSTM does
  }
  const { bijector, base, state } = flow.parts;
  const tensors = new Map<string, StoredTensor>(writer.tensors);
  for (const [name, tensor] of state.tensors) tensors.set(`flow.${name}`, tensor);
  const description = {
    version: 1,
    features: flow.dim,
    covariates,
    scaling,
    cell: { type: cell, hidden, layers: lstmLayers, prefix: cell },
    flow: state.description,
    flow_prefix: 'flow',
  } as const;
  return assemble(gpu, description, tensors, new GpuFlow(gpu, bijector, base, state));
}

/**
 * A temporal flow around a conditional flow of any kind, with a freshly initialised recurrent network.
 *
 * ```ts
 * const step = await realNVP(gpu, { dim: 4, contextDim: 32 });
 * const flow = await temporal(gpu, { flow: step, lstmLayers: 2 }); // a state of 32
 * ```
 *
 * @throws ValueError for an option out of range, or a flow whose context has another width.
 */
export async function temporal(gpu: Gpu, options: TemporalOptions): Promise<TemporalFlow> {
  const { covariates = 0 } = options;
  const place = 'temporal: flow';
  const flow = ownFlow(place, options.flow);
  checkInteger('temporal: covariates', covariates, 0);
  const { contextDim } = flow;
  const { hidden = contextDim - covariates } = options;
  const check = (holds: boolean, expected: string) => {
    if (!holds) throw new ValueError(place, expected, `contextDim ${contextDim}`);
  };
  check(options.hidden !== undefined || hidden > 0, `a context wider than the ${covariates} covariates`);
  const contexts = [hidden, hidden + covariates];
  check(contexts.includes(contextDim), `contextDim ${hidden}, or ${hidden + covariates} with the covariates`);
  return build(gpu, 'temporal', { ...options, flow, hidden });
}

/**
 * A fresh temporal flow over masked autoregressive flows: an LSTM reads the past, and x_t is drawn from a MAF that is given its state and
 * the covariates of step t. Rasul et al. 2021, arXiv:2002.06103.
 *
 * ```ts
 * const flow = await temporalMaf(gpu, { dim: 3, hidden: 40, flow: { layers: 3, hidden: [64, 64] } });
 * const { logProb, perStep } = await flow.logProb(series, { time: 48 }); // series [batch, 48, 3]; nats, [batch] and [batch, 48]
 * const next = await flow.sampleContinuation(series, 24, { time: 48, samples: 100, seed: 7 }); // [100, batch, 24, 3]
 * ```
 *
 * @throws ValueError for an option out of range.
 */
export async function temporalMaf(gpu: Gpu, options: TemporalMafOptions): Promise<TemporalFlow> {
  const { dim, hidden = 40, flow: { layers = 3, hidden: widths = [64, 64] } = {}, covariates = 0, seed = 0 } = options;
  checkInteger('temporalMaf: hidden', hidden, 1);
  checkInteger('temporalMaf: covariates', covariates, 0);
  const flow = (await maf(gpu, { dim, layers, hidden: widths, contextDim: hidden + covariates, seed })) as GpuFlow;
  return build(gpu, 'temporalMaf', { ...options, flow, hidden });
}
