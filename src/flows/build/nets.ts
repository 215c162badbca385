// Network descriptions to conditioner stages, one function a library. Formulas: docs/format.md.

import type { Activation, NetDescription } from '../../format/description.js';
import { FormatError, UnsupportedError } from '../../runtime/errors.js';
import { type ContextTerm, INPUT, type Norm, normOf, type Stage } from '../conditioner/conditioner.js';
import type { StateReader } from './state.js';

interface Linear {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Float32Array;
  readonly mask: Uint8Array | null;
  readonly bias: Float32Array | null;
}

/** What a net is fed: `inputs` data features, and a context of `contextDim`. */
export interface NetInput {
  readonly inputs: number;
  readonly contextDim: number;
}

/** A torch.nn.Linear, masked where `<prefix>.mask` or the given name is stored. */
function readLinear(state: StateReader, prefix: string, inputs: number, maskName = `${prefix}.mask`): Linear {
  const outputs = state.shapeOf(`${prefix}.weight`)[0] ?? 0;
  const weight = state.parameter(`${prefix}.weight`, [outputs, inputs]);
  const bias = state.optional(`${prefix}.bias`, [outputs]);
  return { inputs, outputs, weight, mask: state.mask(maskName, [outputs, inputs]), bias };
}

/** Columns begin … end − 1 of a row-major matrix. */
export function columns<A extends Float32Array | Uint8Array>(matrix: A, outputs: number, inputs: number, begin: number, end: number): A {
  const width = end - begin;
  const part = matrix.slice(0, outputs * width) as A;
  for (let o = 0; o < outputs; o++) part.set(matrix.subarray(o * inputs + begin, o * inputs + end) as A & Uint8Array, o * width);
  return part;
}

/** A layer that reads cat(x, context): the data's columns, and the context's as an added term. */
function splitConcatenated(linear: Linear, { inputs, contextDim }: NetInput): { linear: Linear; contexts: ContextTerm[] } {
  if (contextDim === 0) return { linear, contexts: [] };
  const { outputs, weight, mask } = linear;
  const all = inputs + contextDim;
  const contextWeight = columns(weight, outputs, all, inputs, all);
  if (mask) for (const [at, open] of columns(mask, outputs, all, inputs, all).entries()) if (open === 0) contextWeight[at] = 0;
  return {
    linear: { ...linear, inputs, weight: columns(weight, outputs, all, 0, inputs), mask: mask && columns(mask, outputs, all, 0, inputs) },
    contexts: [{ mode: 'add', weight: contextWeight, bias: null, activation: 'identity' }],
  };
}

function readContext(
  state: StateReader,
  prefix: string,
  outputs: number,
  contextDim: number,
  mode: ContextTerm['mode'],
  activation: Activation = 'identity',
): ContextTerm {
  const bias = state.optional(`${prefix}.bias`, [outputs]);
  return { mode, weight: state.parameter(`${prefix}.weight`, [outputs, contextDim]), bias, activation };
}

/** torch.nn.BatchNorm1d in evaluation mode as value · scale + shift. */
function readNorm(state: StateReader, prefix: string, features: number, eps: number): Norm {
  const weight = state.parameter(`${prefix}.weight`, [features]);
  const bias = state.parameter(`${prefix}.bias`, [features]);
  const running = state.running(`${prefix}.running_mean`, `${prefix}.running_var`, features, eps);
  return normOf({ running, weight, bias });
}

/** A batch norm in front of a linear layer, folded into it: W diag(scale), b + W shift. Masked entries stay zero. */
function foldNorm(linear: Linear, norm: Norm): Linear & Pick<Stage, 'folded'> {
  const { inputs, outputs, mask } = linear;
  const weight = new Float32Array(linear.weight.length);
  const bias = new Float32Array(outputs);
  for (let o = 0; o < outputs; o++) {
    let sum = linear.bias?.[o] ?? 0;
    for (let i = 0; i < inputs; i++) {
      const at = o * inputs + i;
      if (mask !== null && mask[at] === 0) continue;
      weight[at] = linear.weight[at]! * norm.scale[i]!;
      sum += linear.weight[at]! * norm.shift[i]!;
    }
    bias[o] = sum;
  }
  return { ...linear, weight, bias, folded: { norm, weight: linear.weight, bias: linear.bias } };
}

interface LayerOptions {
  /** Name of the mask's tensor, if not `<prefix>.mask`. */
  readonly mask?: string;
  readonly context?: { readonly prefix: string; readonly mode: ContextTerm['mode']; readonly activation?: Activation } | false;
  /** Prefix of a batch norm between the layer and its activation. */
  readonly norm?: string | false;
  /** Prefix of a batch norm in front of the layer. */
  readonly normBefore?: string | false;
  readonly skip?: number;
  readonly activation?: Activation;
}

/** Reads a net layer by layer, each fed by the one before it. */
class NetReader {
  readonly stages: Stage[] = [];

  /** @param concatenated whether the first layer reads cat(x, context). */
  constructor(
    readonly state: StateReader,
    readonly input: NetInput,
    readonly concatenated: boolean,
  ) {}

  push(prefix: string, { mask, context, norm, normBefore, skip, activation = 'identity' }: LayerOptions = {}): void {
    const { state, input, stages } = this;
    const before = stages.at(-1)?.outputs;
    const contexts: ContextTerm[] = [];
    let linear: Linear;
    if (before === undefined && this.concatenated) {
      const split = splitConcatenated(readLinear(state, prefix, input.inputs + input.contextDim, mask), input);
      linear = split.linear;
      contexts.push(...split.contexts);
    } else linear = readLinear(state, prefix, before ?? input.inputs, mask);
    const { outputs } = linear;
    if (context) contexts.push(readContext(state, context.prefix, outputs, input.contextDim, context.mode, context.activation));
    if (normBefore) linear = foldNorm(linear, readNorm(state, normBefore, linear.inputs, 1e-3));
    stages.push({
      ...linear,
      input: stages.length - 1,
      contexts,
      skip: skip ?? null,
      norm: norm ? readNorm(state, norm, outputs, 1e-3) : null,
      activation,
    });
  }
}

/** linear, activation, linear, …, linear. */
function mlp(
  state: StateReader,
  linears: readonly string[],
  activation: Activation,
  input: NetInput,
  concatenated: boolean,
  projection?: string | null,
): Stage[] {
  const reader = new NetReader(state, input, concatenated);
  for (const [index, prefix] of linears.entries())
    reader.push(prefix, {
      context: index === 0 && projection ? { prefix: projection, mode: 'add' } : false,
      activation: index + 1 < linears.length ? activation : 'identity',
    });
  return reader.stages;
}

/**
 * nflows' nets and those that took them over: initial layer, blocks, final layer. A residual block is
 * h + linear_1(act(bn_1(linear_0(act(bn_0(h)))))), another one act(linear(bn(h))).
 *
 * @param context whether the context is read; how a block reads it, added to its first layer or gating its second; and how the first
 *   layer does, from cat(x, context) or by a projection through `activation`.
 */
function blockNet(
  state: StateReader,
  net: {
    readonly prefix: string;
    readonly blocks: number;
    readonly residual: boolean;
    readonly activation: Activation;
    readonly batch_norm: boolean;
  },
  input: NetInput,
  context: {
    readonly reads: boolean;
    readonly mode: ContextTerm['mode'];
    readonly concatenated?: boolean;
    readonly activation?: Activation;
  },
): Stage[] {
  const { prefix, blocks, activation, batch_norm: normed } = net;
  const { concatenated = false } = context;
  const reader = new NetReader(state, context.reads ? input : { ...input, contextDim: 0 }, concatenated);
  const blockAt = (block: number) => `${prefix}.blocks.${block}`;
  const project = (at: string, mode: ContextTerm['mode'], through: Activation = 'identity') =>
    context.reads && { prefix: `${at}.context_layer`, mode, activation: through };
  // Each stage ends with what the next block does first to h: its norm and activation. After the last block there is neither.
  const entering = (block: number): LayerOptions =>
    block < blocks ? { norm: normed && `${blockAt(block)}.batch_norm_layers.0`, activation } : {};
  reader.push(`${prefix}.initial_layer`, {
    context: !concatenated && project(prefix, 'add', context.activation),
    ...(net.residual ? entering(0) : { activation: context.activation ?? 'identity' }),
  });
  for (let block = 0; block < blocks; block++) {
    const at = blockAt(block);
    if (!net.residual) {
      reader.push(`${at}.linear`, { normBefore: normed && `${at}.batch_norm`, activation });
      continue;
    }
    const skip = reader.stages.length - 1;
    const terms = project(at, context.mode);
    const gates = context.mode === 'gate';
    reader.push(`${at}.linear_layers.0`, { context: !gates && terms, norm: normed && `${at}.batch_norm_layers.1`, activation });
    reader.push(`${at}.linear_layers.1`, { context: gates && terms, skip, ...entering(block + 1) });
  }
  reader.push(`${prefix}.final_layer`);
  return reader.stages;
}

/** zuko's residual MLP: masked linear layers that change the width, and blocks h + linear_2(act(linear_0(h))) between them. */
function zukoResidual(state: StateReader, names: readonly string[], activation: Activation, input: NetInput, place: string): Stage[] {
  const reader = new NetReader(state, input, true);
  for (const [index, name] of names.entries()) {
    if (state.has(`${name}.weight`)) {
      reader.push(name);
      continue;
    }
    if (index === 0 || index === names.length - 1)
      throw new FormatError(place, `"${name}" needs a weight: first and last layer are linear`);
    const skip = reader.stages.length - 1;
    reader.push(`${name}.0`, { activation });
    reader.push(`${name}.2`, { skip });
  }
  return reader.stages;
}

/** pytorch-flows: joiner (masked, context without bias), act, trunk.1, act, trunk.3. `part` is what the names of one of two nets begin with. */
function ptfMade(state: StateReader, prefix: string, part: string, activation: Activation, context: boolean, input: NetInput): Stage[] {
  const reader = new NetReader(state, input, false);
  const push = (name: string, options: LayerOptions) =>
    reader.push(`${prefix}.${part}${name}.linear`, { mask: `${prefix}.${part}${name}.mask`, ...options });
  push('joiner', { context: context && { prefix: `${prefix}.${part}joiner.cond_linear`, mode: 'add' }, activation });
  push('trunk.1', { activation });
  push('trunk.3', {});
  return reader.stages;
}

/** Two nets side by side; the stages of the second follow those of the first. */
export function sideBySide(first: readonly Stage[], second: readonly Stage[]): Stage[] {
  const move = (index: number) => (index === INPUT ? INPUT : index + first.length);
  return [
    ...first,
    ...second.map((stage) => ({ ...stage, input: move(stage.input), skip: stage.skip === null ? null : move(stage.skip) })),
  ];
}

/** linear 0, activation, linear 2, activation, linear 4 of a torch.nn.Sequential, reading cat(x, context). */
export const sequentialMlp = (state: StateReader, linears: readonly string[], activation: Activation, input: NetInput): Stage[] =>
  mlp(state, linears, activation, input, true);

const KNOWN = ['masked_mlp', 'nflows_made', 'nflows_resnet', 'normflows_made', 'zuko_mlp', 'ptf_made', 'ptf_made_split'];

/**
 * Stages of a described net. The outputs are those of the last stage; `ptf_made_split` ends each of its two halves with a stage.
 * @throws UnsupportedError for a net that is not built here; FormatError where a tensor does not fit.
 */
export function buildNet(state: StateReader, net: NetDescription, input: NetInput, place: string): Stage[] {
  switch (net.type) {
    case 'masked_mlp':
      return mlp(state, net.linears, net.activation, input, false, net.context_proj);
    case 'nflows_made':
      // The activation falls on the context's projection at the first layer, not in the blocks; nflows.nn.nde has none there at all.
      return blockNet(state, net, input, {
        reads: net.context && input.contextDim > 0,
        mode: 'add',
        activation: net.nde ? 'identity' : net.activation,
      });
    case 'normflows_made': {
      const reads = state.has(`${net.prefix}.context_layer.weight`);
      return blockNet(state, { ...net, residual: true, batch_norm: false }, input, { reads, mode: 'gate' });
    }
    case 'nflows_resnet':
      return blockNet(state, { ...net, residual: true }, input, { reads: net.context, mode: 'gate', concatenated: true });
    case 'zuko_mlp': {
      const own = net.context_concat ? input : { ...input, contextDim: 0 };
      if (net.residual) return zukoResidual(state, net.linears, net.activation, own, place);
      return mlp(state, net.linears, net.activation, own, true);
    }
    case 'ptf_made':
      return ptfMade(state, net.prefix, '', net.activation, net.context, input);
    case 'ptf_made_split':
      return sideBySide(
        ptfMade(state, net.prefix, 's_', net.s_act, net.context, input),
        ptfMade(state, net.prefix, 't_', net.t_act, net.context, input),
      );
    default:
      throw new UnsupportedError(place, `net ${JSON.stringify(net.type)}`, KNOWN);
  }
}

/** Stages of a net in which the context takes the place of the data: it reads no data features. @throws as `buildNet` does. */
export function buildContextNet(state: StateReader, net: NetDescription, contextDim: number, place: string): Stage[] {
  const own = net.type === 'zuko_mlp' ? { ...net, context_concat: false } : net;
  return buildNet(state, own, { inputs: contextDim, contextDim: 0 }, place);
}

/** Re-spreads the first layers of a net over more data features: new feature `features[i]` feeds what feature i fed. */
export function spreadInputs(stages: readonly Stage[], features: readonly number[], dim: number): Stage[] {
  return stages.map((stage) => {
    if (stage.input !== INPUT) return stage;
    const weight = new Float32Array(stage.outputs * dim);
    for (let o = 0; o < stage.outputs; o++)
      for (const [i, feature] of features.entries()) weight[o * dim + feature] = stage.weight[o * stage.inputs + i]!;
    return { ...stage, inputs: dim, weight, mask: null };
  });
}
