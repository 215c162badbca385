// Residual layers: contractive networks from a description, and how their log-det and inverse are to be computed.

import type { NetDescription, OpDescription, ResidualLogDetDescription } from '../../format/description.js';
import { needs } from '../../format/needs.js';
import { UnsupportedError } from '../../runtime/errors.js';
import { Residual, type ResidualInverse, type ResidualLogDet, type ResidualNet } from '../bijectors/residual.js';
import { leadingSingular } from '../conditioner/spectral-norm.js';
import type { MlpLayer } from '../conditioner/tangents.js';
import { softplus } from '../scalar.js';
import { checkOutputs } from './conditioner.js';
import { buildNet } from './nets.js';
import type { BuildContext, OpBuilders } from './op.js';
import type { StateReader } from './state.js';

type LipschitzMlp = Extract<NetDescription, { type: 'lipschitz_mlp' }>;

/** A block's scalars that normflows keeps beside its network: settings of its own estimator, in training, and their statistics. */
const ESTIMATOR = {
  geom_p: 'parameter',
  lamb: 'parameter',
  last_firmom: 'buffer',
  last_n_samples: 'buffer',
  last_secmom: 'buffer',
} as const;

function readBookkeeping(state: StateReader, linear: string): void {
  const read = (name: string, kind: 'parameter' | 'buffer') => {
    if (state.has(name)) state[kind](name, state.shapeOf(name));
  };
  read(`${linear}.scale`, 'buffer'); // the norm that the last forward pass found
  const [block, inside] = linear.split('.nnet.');
  if (inside !== undefined) for (const [name, kind] of Object.entries(ESTIMATOR)) read(`${block}.${name}`, kind);
}

/** Power iterations of each training step where no singular vectors are stored, from those of the start. */
const ITERATIONS = 32;

/** Columns of a matrix: from `first` on, `width` of them. */
type Columns = (first: number, width: number) => Pick<MlpLayer, 'weight' | 'originOf' | 'bound'>;

/** W / max(1, sigma / coeff), rounded once. sigma is u · W v with the stored vectors, or else the spectral norm itself. */
function normalise(state: StateReader, linear: string, outputs: number, inputs: number, coeff: number): Columns {
  const raw = state.parameter(`${linear}.weight`, [outputs, inputs]) as Float32Array<ArrayBuffer>;
  const stored = state.has(`${linear}.u`);
  const { u, v } = stored
    ? { u: state.buffer(`${linear}.u`, [outputs]), v: state.buffer(`${linear}.v`, [inputs]) }
    : leadingSingular(raw, outputs, inputs);
  let sigma = 0;
  for (const [at, value] of raw.entries()) sigma += u[Math.floor(at / inputs)]! * value * v[at % inputs]!;
  const factor = Math.max(1, sigma / coeff);
  const weight = raw.map((value) => value / factor);
  const held = { u: Float32Array.from(u), v: Float32Array.from(v) };
  return (first, width) => ({
    weight: weight.filter((_, at) => at % inputs >= first && at % inputs < first + width),
    bound: coeff,
    originOf: (place) => ({
      kind: 'spectral norm',
      inputs: { raw, place: place.map((at) => at && 1 + first + inputs * Math.floor((at - 1) / width) + ((at - 1) % width)) },
      held,
      settings: { coeff, iterations: stored ? 0 : ITERATIONS },
    }),
  });
}

/** LipSwish's beta = softplus(raw). */
function learnedBeta(state: StateReader, name: string): Pick<MlpLayer, 'beta' | 'betaOrigin'> {
  const raw = state.parameter(name, [1]) as Float32Array<ArrayBuffer>;
  const of = { kind: 'diagonal entries', inputs: { raw, on: Float32Array.of(1) }, settings: { map: 'softplus', setting: 0 } };
  return { beta: softplus(raw[0]!), betaOrigin: { of, table: 'entries' } };
}

function lipschitzMlp(net: LipschitzMlp, { state, inputs: dim, contextDim, place }: BuildContext): ResidualNet {
  const { coeff, activation = 'lipswish', context_concat: concatenated = false } = net;
  needs(coeff > 0, `${place}.net.coeff`, 'a positive number', coeff);
  let context: ResidualNet['context'] = null;
  let inputs = dim;
  const layers = net.layers.map(({ swish_beta: beta, linear }, index): MlpLayer => {
    const outputs = state.shapeOf(`${linear}.weight`)[0] ?? 0;
    const all = index === 0 && concatenated ? dim + contextDim : inputs;
    readBookkeeping(state, linear);
    const columns = normalise(state, linear, outputs, all, coeff);
    const layer: MlpLayer = {
      inputs,
      outputs,
      ...columns(0, inputs),
      bias: state.optional(`${linear}.bias`, [outputs]),
      activation: activation === 'lipswish' ? (beta ? 'lipswish' : 'identity') : index === 0 ? 'identity' : activation,
      ...(activation === 'lipswish' && beta && learnedBeta(state, beta)),
    };
    if (all > inputs) {
      if (beta)
        throw new UnsupportedError(`${place}.net.layers[0]`, 'an activation over the concatenated context', [
          'none before the first layer',
        ]);
      context = { ...columns(dim, contextDim), bias: null, contextDim };
    }
    inputs = outputs;
    return layer;
  });
  if (net.context_proj) {
    const name = net.context_proj;
    needs(!context, `${place}.net`, 'one of context_proj and context_concat', 'both');
    const units = layers[0]!.outputs;
    context = {
      weight: state.parameter(`${name}.weight`, [units, contextDim]),
      bias: state.optional(`${name}.bias`, [units]),
      contextDim,
    };
  }
  return { layers, context };
}

/** A network whose weights are contractive as they stand. */
function plainMlp(net: NetDescription, build: BuildContext): ResidualNet {
  const stages = buildNet(build.state, net, build, `${build.place}.net`);
  const [term] = stages[0]!.contexts;
  return {
    layers: stages.map(({ inputs, outputs, weight, mask, bias }, index) => ({
      inputs,
      outputs,
      weight: mask ? weight.map((value, at) => (mask[at] === 0 ? 0 : value)) : weight,
      bias,
      activation: index === 0 ? 'identity' : stages[index - 1]!.activation,
    })),
    context: term ? { ...term, contextDim: build.contextDim } : null,
  };
}

const KNOWN = ['lipschitz_mlp', 'masked_mlp', 'zuko_mlp'];

function readNet(net: NetDescription, build: BuildContext): ResidualNet {
  if (net.type === 'lipschitz_mlp') return lipschitzMlp(net, build);
  if (net.type === 'masked_mlp' || net.type === 'zuko_mlp') return plainMlp(net, build);
  throw new UnsupportedError(build.place, `net ${JSON.stringify(net.type)} of a residual layer`, KNOWN);
}

/** What is wrong with the settings of an estimator, or null: a key, what it needs, what it has. */
export function checkLogDet(logDet: ResidualLogDetDescription): readonly [key: string, needs: string, got: string] | null {
  if (logDet.method !== 'roulette') return null;
  const { distribution, rate, exactTerms, terms } = rouletteOf(logDet);
  if (!(rate > 0) || (distribution === 'geometric' && !(rate < 1)))
    return ['rate', distribution === 'geometric' ? 'a chance between 0 and 1' : 'a positive mean', String(rate)];
  if (exactTerms >= terms) return ['exact_terms', `fewer than the most terms, ${terms}`, String(exactTerms)];
  return null;
}

/** Defaults: those of the paper, two exact terms and then a coin for each. */
function rouletteOf(logDet: Extract<ResidualLogDetDescription, { method: 'roulette' }>) {
  const { distribution = 'geometric', rate = distribution === 'geometric' ? 0.5 : 2, exact_terms: exactTerms = 2, terms = 64 } = logDet;
  return { distribution, rate, exactTerms, terms };
}

function readLogDet(logDet: ResidualLogDetDescription = { method: 'exact' }): ResidualLogDet {
  if (logDet.method === 'exact') return logDet;
  const { probe = 'rademacher', probes = 1 } = logDet;
  if (logDet.method === 'series') return { ...logDet, probe, probes };
  const { distribution, rate, exactTerms, terms } = rouletteOf(logDet);
  return { method: 'roulette', exactTerms, terms, count: { distribution, rate }, probe, probes };
}

function readInverse({ method, tolerance = 0, iterations }: NonNullable<ResidualOp['inverse']>): ResidualInverse {
  return { method: method === 'broyden' ? 'broyden' : 'fixed-point', tolerance, iterations: iterations ?? null };
}

type ResidualOp = Extract<OpDescription, { op: 'residual' }>;

/** Streams of random numbers: one for each op of the structure, apart from that of the base, which is 0. */
const streamOf = (place: string): number => Number(/\[(\d+)\]$/.exec(place)?.[1] ?? 0);

export const residualOps = {
  residual(op, build) {
    const { place, inputs: dim } = build;
    const wrong = op.log_det && checkLogDet(op.log_det);
    if (wrong) needs(false, `${place}.log_det.${wrong[0]}`, wrong[1], wrong[2]);
    const net = readNet(op.net, build);
    checkOutputs(net.layers, net.layers.length - 1, dim, place);
    return new Residual(dim, net, {
      logDet: readLogDet(op.log_det),
      inverse: readInverse(op.inverse ?? { method: 'broyden' }),
      stream: streamOf(place),
      place,
    });
  },
} satisfies OpBuilders;
