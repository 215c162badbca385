// zuko's MAF, NSF, NCSF, NICE and RealNVP (one class under two names), and CNF. Data to noise in list order; the base lies in buffers: a
// standard normal, or NCSF's uniform.

import type {
  BaseDescription,
  DivergenceDescription,
  FlowDescription,
  NetDescription,
  OpDescription,
  ZukoForm,
} from '../format/description.js';
import { type StoredTensor, toFloat32 } from '../format/safetensors.js';
import { FormatError, UnsupportedError } from '../runtime/errors.js';
import { checkCount, type Derivation, readActivation, readIndices, readOptions, requireTensor, vectorFlow } from './derive-options.js';

const shared = {
  features: ['size'],
  context: ['count', 0],
  transforms: ['size', 3],
  hidden_features: ['sizes', [64, 64]],
  activation: ['text', 'relu'],
  // Not the constructor's in every release, but the only way to say which slope a `univariate` of one's own was given.
  slope: ['number', 0],
  // Written by other tools beside the constructor's arguments: the class again, and that a context of unsaid size is read.
  flow: ['text', ''],
  use_context: ['flag', false],
} as const;

const autoregressive = { ...shared, randperm: ['flag', false], passes: ['count', 0], residual: ['flag', false] } as const;
const spline = { ...autoregressive, bins: ['size', 8] } as const;
const coupling = { ...shared, randmask: ['flag', false], randperm: ['flag', false], normalize: ['flag', false] } as const;

/** The minimum slope that a release's transforms use unless told otherwise; it was ten times smaller from 1.0.1 to 1.4.1. */
export function defaultSlope(version: string | undefined): number {
  const [major = 0, minor = 0, patch = 0] = (version ?? '').split('.').map((part) => Number.parseInt(part, 10));
  const small = major === 1 && (minor > 0 || patch > 0) && minor < 5;
  return small ? 1e-4 : 1e-3;
}

/** NCSF's uniform base: one interval, a little wider than the angles. */
function uniformBase(tensors: ReadonlyMap<string, StoredTensor>): BaseDescription {
  const [low, high] = [
    ['base.lower', 'base._0'],
    ['base.upper', 'base._1'],
  ].map(([now, before]) => toFloat32(requireTensor(tensors, tensors.has(before!) ? before! : now!))[0]!);
  return { type: 'uniform', low: low!, high: high! };
}

/** The base is N(0, 1) in every other of these classes, but it lies in the file, so another one would be missed silently. */
function checkBase(tensors: ReadonlyMap<string, StoredTensor>): void {
  // Named by position in releases before 1.5.
  for (const [names, value] of [
    [['base.loc', 'base._0'], 0],
    [['base.scale', 'base._1'], 1],
  ] as const) {
    for (const name of names) {
      const tensor = tensors.get(name);
      if (tensor && !toFloat32(tensor).every((entry) => entry === value)) {
        throw new UnsupportedError('weights', `a base distribution with "${name}" other than ${value}`);
      }
    }
  }
}

/**
 * The layers of one hyper network and how many of its inputs are context. A residual one has a block after each hidden width, and a linear
 * layer only where the width changes; in others an activation, which has no tensors, follows each linear layer.
 */
function readNet(
  tensors: ReadonlyMap<string, StoredTensor>,
  prefix: string,
  hidden: readonly number[],
  inputs: number,
  residual: boolean,
): { linears: string[]; context: number } {
  // Outputs of each layer before the last; null for a block.
  const sizes = hidden.flatMap((size, index) => (residual ? (size === hidden[index - 1] ? [null] : [size, null]) : [size]));
  const stride = residual ? 1 : 2;
  const linears = [...sizes, 0].map((_, layer) => `${prefix}.hyper.${stride * layer}`);
  for (const [layer, size] of sizes.entries()) {
    const name = linears[layer]!;
    if (size === null) {
      for (const part of [0, 2]) requireTensor(tensors, `${name}.${part}.weight`);
      continue;
    }
    const rows = requireTensor(tensors, `${name}.weight`).shape[0];
    if (rows !== size) throw new FormatError('weights', `"${name}.weight" needs ${size} rows by hidden_features; it has ${rows}`);
  }
  checkCount(tensors, `${prefix}.hyper.`, stride * sizes.length + 1, residual ? 'hidden_features and residual' : 'hidden_features');
  return { linears, context: (requireTensor(tensors, `${linears[0]}.weight`).shape[1] ?? 0) - inputs };
}

/** The whole-flow classes; NICE stands for RealNVP too. With one feature, zuko makes every transform elementwise. */
export function deriveZuko(
  { options, tensors, version }: Derivation,
  kind: 'MAF' | 'NSF' | 'NCSF' | 'NICE',
): Omit<FlowDescription, 'version'> {
  const circular = kind === 'NCSF';
  const forNsf = kind === 'NSF' || circular ? readOptions(options, spline) : null;
  const given = forNsf ?? readOptions(options, kind === 'MAF' ? autoregressive : coupling);
  const residual = 'residual' in given && given.residual === true;
  if ('normalize' in given && given.normalize) throw new UnsupportedError('description.constructor.normalize', 'true', ['false']);
  const { features, hidden_features: hidden } = given;
  const activation = readActivation(given.activation);
  const slope = given.slope || defaultSlope(version);
  // Angles: half a turn, then a spline whose slope is 1 where the ends of the circle meet.
  const turn = circular ? ({ tails: 'circular', shift: Math.PI } as const) : {};
  const form: ZukoForm = forNsf
    ? { form: 'rqs', spline: { type: 'zuko', bins: forNsf.bins, bound: circular ? Math.PI : 5, slope, ...turn } }
    : { form: 'softclip_exp', slope };
  const base: BaseDescription = circular ? uniformBase(tensors) : { type: 'standard_normal' };
  if (!circular) checkBase(tensors);
  checkCount(tensors, 'transform.transforms.', given.transforms, 'transforms');

  const contexts: number[] = [];
  const netAt = (prefix: string, inputs: number): NetDescription => {
    // With a single feature the net reads the context alone and is no masked one, which is where blocks are.
    const blocks = residual && inputs > 0;
    const { linears, context } = readNet(tensors, prefix, hidden, inputs, blocks);
    contexts.push(context);
    return { type: 'zuko_mlp', linears, activation, context_concat: context > 0, ...(blocks && { residual: true }) };
  };
  const structure = Array.from({ length: given.transforms }, (_, layer): OpDescription => {
    const prefix = `transform.transforms.${layer}`;
    if (features === 1) {
      if (tensors.has(`${prefix}.hyper.0.weight`)) return { op: 'zuko_elementwise', net: netAt(prefix, 0), ...form };
      const phi = Array.from({ length: forNsf ? 3 : 2 }, (_, index) => `${prefix}.phi.${index}`);
      for (const name of phi) requireTensor(tensors, name);
      contexts.push(0);
      return { op: 'zuko_elementwise', phi, ...form };
    }
    if (kind === 'NICE') {
      const mask = readIndices(tensors, `${prefix}.mask`) as (0 | 1)[];
      const kept = mask.reduce<number>((sum, entry) => sum + entry, 0);
      return { op: 'zuko_coupling', mask, net: netAt(prefix, kept), ...form };
    }
    const order = readIndices(tensors, `${prefix}.order`);
    return { op: 'zuko_ar', order, passes: Math.max(...order) + 1, net: netAt(prefix, features), ...form };
  });

  const context = contexts[0]!;
  if (context < 0 || contexts.some((count) => count !== context)) {
    throw new FormatError(
      'weights',
      `the nets read ${contexts.join(', ')} inputs more than their features; every one needs the same context`,
    );
  }
  // Only what the constructor says outright is compared: the size is in the weights, and not every tool writes it down.
  const differs = ('context' in options && given.context !== context) || ('use_context' in options && given.use_context !== context > 0);
  if (differs) throw new FormatError('weights', `the nets read ${context} context features; the constructor says otherwise`);
  return vectorFlow(features, context, structure, base);
}

const continuous = {
  features: shared.features,
  context: shared.context,
  freqs: ['size', 3],
  hidden_features: shared.hidden_features,
  activation: ['text', 'elu'],
  atol: ['number', 1e-6],
  rtol: ['number', 1e-5],
  exact: ['flag', true],
} as const;

/** zuko's CNF. Its tolerances steer an adaptive solver of its own; the format's default, 16 steps of Dormand–Prince, stands in for it. */
export function deriveZukoContinuous({ options, tensors }: Derivation): Omit<FlowDescription, 'version'> {
  const { features, context, hidden_features: hidden, activation, exact } = readOptions(options, continuous);
  checkBase(tensors);
  checkCount(tensors, 'transform.ode.', 2 * hidden.length + 1, 'hidden_features');
  const times = 'transform.times';
  const [start, end] = toFloat32(requireTensor(tensors, times));
  const linears = [...hidden, 0].map((_, layer) => `transform.ode.${2 * layer}`);
  const net: NetDescription = {
    type: 'fourier_mlp',
    linears,
    activation: readActivation(activation),
    freqs: 'transform.freqs',
    context_concat: context > 0,
  };
  const divergence: DivergenceDescription = exact ? { type: 'exact' } : { type: 'gaussian', probes: 1 };
  return vectorFlow(features, context, [{ op: 'cnf', t_data: start!, t_noise: end!, times, net, divergence }]);
}
