// Network descriptions to conditioner stages, one function a library. Formulas: docs/format.md.

import type { Activation, NetDescription } from '../../format/description.js';
import { FormatError, UnsupportedError } from '../../runtime/errors.js';
import { type ContextTerm, INPUT, type Stage } from '../conditioner/conditioner.js';
import type { StateReader } from './state.js';

interface Linear {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Float32Array;
  readonly mask: Uint8Array | null;
  readonly bias: Float32Array | null;
}

type Norm = NonNullable<Stage['norm']>;

/** What a net is fed: `inputs` data features, and a context of `contextDim`. */
export interface NetInput {
  readonly inputs: number;
  readonly contextDim: number;
}

const plain = { contexts: [], skip: null, norm: null } as const;

/** A torch.nn.Linear, masked where `<prefix>.mask` or the given name is stored. */
function readLinear(state: StateReader, prefix: string, inputs: number, maskName = `${prefix}.mask`): Linear {
  const outputs = state.shapeOf(`${prefix}.weight`)[0] ?? 0;
  const weight = state.parameter(`${prefix}.weight`, [outputs, inputs]);
  const bias = state.has(`${prefix}.bias`) ? state.parameter(`${prefix}.bias`, [outputs]) : null;
  return { inputs, outputs, weight, mask: state.mask(maskName, [outputs, inputs]), bias };
}

/** Columns begin … end − 1 of a row-major matrix. */
function columns<A extends Float32Array | Uint8Array>(matrix: A, outputs: number, inputs: number, begin: number, end: number): A {
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
  const bias = state.has(`${prefix}.bias`) ? state.parameter(`${prefix}.bias`, [outputs]) : null;
  return { mode, weight: state.parameter(`${prefix}.weight`, [outputs, contextDim]), bias, activation };
}

/** torch.nn.BatchNorm1d in evaluation mode as value · scale + shift. */
function readNorm(state: StateReader, prefix: string, features: number, eps: number): Norm {
  const weight = state.parameter(`${prefix}.weight`, [features]);
  const bias = state.parameter(`${prefix}.bias`, [features]);
  const mean = state.buffer(`${prefix}.running_mean`, [features]);
  const variance = state.buffer(`${prefix}.running_var`, [features]);
  const scale = Float64Array.from(weight, (value, i) => value / Math.sqrt(variance[i]! + eps));
  return { scale, shift: Float64Array.from(bias, (value, i) => value - mean[i]! * scale[i]!) };
}

/** A batch norm in front of a linear layer, folded into it: W diag(scale), b + W shift. Masked entries stay zero. */
function foldNorm(linear: Linear, norm: Norm): Linear {
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
  return { ...linear, weight, bias };
}

/** linear, activation, linear, …, linear. */
function mlp(state: StateReader, linears: readonly string[], activation: Activation, input: NetInput, concatenated: boolean): Stage[] {
  const stages: Stage[] = [];
  let inputs = input.inputs + (concatenated ? input.contextDim : 0);
  for (const [index, prefix] of linears.entries()) {
    const read = readLinear(state, prefix, inputs);
    const { linear, contexts } = index === 0 && concatenated ? splitConcatenated(read, input) : { linear: read, contexts: [] };
    stages.push({ ...plain, ...linear, input: index - 1, contexts, activation: index + 1 < linears.length ? activation : 'identity' });
    inputs = linear.outputs;
  }
  return stages;
}

interface ResidualNet {
  readonly prefix: string;
  readonly blocks: number;
  readonly activation: Activation;
  readonly batch_norm: boolean;
  /** How the first layer sees the context, and how each block does. */
  readonly first: (initial: Linear) => { linear: Linear; contexts: ContextTerm[] };
  readonly blockContext: (prefix: string, outputs: number) => { on: 0 | 1; term: ContextTerm } | null;
}

/** h = initial(x); each block h = h + linear_1(act(bn_1(linear_0(act(bn_0(h)))))); final(h). */
function residualNet(state: StateReader, net: ResidualNet, initialInputs: number): Stage[] {
  const { prefix, blocks, activation } = net;
  const { linear: initial, contexts } = net.first(readLinear(state, `${prefix}.initial_layer`, initialInputs));
  const hidden = initial.outputs;
  // Each stage ends with what the next block does first to h: its norm and activation. After the last block there is neither.
  const entering = (block: number): Pick<Stage, 'norm' | 'activation'> =>
    block < blocks
      ? { norm: net.batch_norm ? readNorm(state, `${prefix}.blocks.${block}.batch_norm_layers.0`, hidden, 1e-3) : null, activation }
      : { norm: null, activation: 'identity' };
  const stages: Stage[] = [{ ...plain, ...initial, input: INPUT, contexts, ...entering(0) }];
  for (let block = 0; block < blocks; block++) {
    const at = `${prefix}.blocks.${block}`;
    const before = stages.length - 1;
    const context = net.blockContext(`${at}.context_layer`, hidden);
    const termsOf = (layer: 0 | 1) => (context?.on === layer ? [context.term] : []);
    stages.push({
      ...plain,
      ...readLinear(state, `${at}.linear_layers.0`, hidden),
      input: before,
      contexts: termsOf(0),
      norm: net.batch_norm ? readNorm(state, `${at}.batch_norm_layers.1`, hidden, 1e-3) : null,
      activation,
    });
    stages.push({
      ...readLinear(state, `${at}.linear_layers.1`, hidden),
      input: before + 1,
      contexts: termsOf(1),
      skip: before,
      ...entering(block + 1),
    });
  }
  stages.push({ ...plain, ...readLinear(state, `${prefix}.final_layer`, hidden), input: stages.length - 1, activation: 'identity' });
  return stages;
}

function nflowsMade(state: StateReader, net: Extract<NetDescription, { type: 'nflows_made' }>, input: NetInput): Stage[] {
  const { prefix, blocks, activation } = net;
  const contextual = net.context && input.contextDim > 0;
  // The activation falls on the context's projection at the first layer, not in the blocks; nflows.nn.nde has none there at all.
  const firstActivation = net.nde ? 'identity' : activation;
  const first = (initial: Linear) => ({
    linear: initial,
    contexts: contextual ? [readContext(state, `${prefix}.context_layer`, initial.outputs, input.contextDim, 'add', firstActivation)] : [],
  });
  if (net.residual) {
    return residualNet(
      state,
      {
        prefix,
        blocks,
        activation,
        batch_norm: net.batch_norm,
        first,
        blockContext: (at, outputs) => (contextual ? { on: 0, term: readContext(state, at, outputs, input.contextDim, 'add') } : null),
      },
      input.inputs,
    );
  }
  const { linear: initial, contexts } = first(readLinear(state, `${prefix}.initial_layer`, input.inputs));
  const stages: Stage[] = [{ ...plain, ...initial, input: INPUT, contexts, activation: firstActivation }];
  for (let block = 0; block < blocks; block++) {
    const at = `${prefix}.blocks.${block}`;
    const linear = readLinear(state, `${at}.linear`, stages[block]!.outputs);
    const folded = net.batch_norm ? foldNorm(linear, readNorm(state, `${at}.batch_norm`, linear.inputs, 1e-3)) : linear;
    stages.push({ ...plain, ...folded, input: block, activation });
  }
  stages.push({ ...plain, ...readLinear(state, `${prefix}.final_layer`, stages[blocks]!.outputs), input: blocks, activation: 'identity' });
  return stages;
}

/** zuko's residual MLP: masked linear layers that change the width, and blocks h + linear_2(act(linear_0(h))) between them. */
function zukoResidual(state: StateReader, names: readonly string[], activation: Activation, input: NetInput, place: string): Stage[] {
  const stages: Stage[] = [];
  let inputs = input.inputs + input.contextDim;
  const push = (stage: Omit<Stage, 'input'>) => {
    stages.push({ ...stage, input: stages.length - 1 });
    inputs = stage.outputs;
  };
  for (const [index, name] of names.entries()) {
    if (state.has(`${name}.weight`)) {
      const read = readLinear(state, name, inputs);
      const first = index === 0 ? splitConcatenated(read, input) : { linear: read, contexts: [] };
      push({ ...plain, ...first.linear, contexts: first.contexts, activation: 'identity' });
      continue;
    }
    if (index === 0 || index === names.length - 1)
      throw new FormatError(place, `"${name}" needs a weight: first and last layer are linear`);
    const skip = stages.length - 1;
    push({ ...plain, ...readLinear(state, `${name}.0`, inputs), activation });
    push({ ...plain, ...readLinear(state, `${name}.2`, inputs), skip, activation: 'identity' });
  }
  return stages;
}

/** pytorch-flows: joiner (masked, context without bias), act, trunk.1, act, trunk.3. */
function ptfMade(state: StateReader, joiner: string, trunk: string, activation: Activation, context: boolean, input: NetInput): Stage[] {
  const read = (prefix: string, inputs: number) => readLinear(state, `${prefix}.linear`, inputs, `${prefix}.mask`);
  const first = read(joiner, input.inputs);
  const contexts = context ? [readContext(state, `${joiner}.cond_linear`, first.outputs, input.contextDim, 'add')] : [];
  const second = read(`${trunk}.1`, first.outputs);
  return [
    { ...plain, ...first, input: INPUT, contexts, activation },
    { ...plain, ...second, input: 0, activation },
    { ...plain, ...read(`${trunk}.3`, second.outputs), input: 1, activation: 'identity' },
  ];
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
    case 'masked_mlp': {
      const stages = mlp(state, net.linears, net.activation, input, false);
      if (net.context_proj)
        stages[0] = { ...stages[0]!, contexts: [readContext(state, net.context_proj, stages[0]!.outputs, input.contextDim, 'add')] };
      return stages;
    }
    case 'nflows_made':
      return nflowsMade(state, net, input);
    case 'normflows_made': {
      const contextual = state.has(`${net.prefix}.context_layer.weight`);
      return residualNet(
        state,
        {
          ...net,
          batch_norm: false,
          first: (linear) => ({
            linear,
            contexts: contextual ? [readContext(state, `${net.prefix}.context_layer`, linear.outputs, input.contextDim, 'add')] : [],
          }),
          blockContext: (at, outputs) => (contextual ? { on: 1, term: readContext(state, at, outputs, input.contextDim, 'gate') } : null),
        },
        input.inputs,
      );
    }
    case 'nflows_resnet': {
      const own = net.context ? input : { ...input, contextDim: 0 };
      return residualNet(
        state,
        {
          ...net,
          first: (linear) => splitConcatenated(linear, own),
          blockContext: (at, outputs) => (net.context ? { on: 1, term: readContext(state, at, outputs, input.contextDim, 'gate') } : null),
        },
        own.inputs + own.contextDim,
      );
    }
    case 'zuko_mlp': {
      const own = net.context_concat ? input : { ...input, contextDim: 0 };
      if (net.residual) return zukoResidual(state, net.linears, net.activation, own, place);
      return mlp(state, net.linears, net.activation, own, net.context_concat);
    }
    case 'ptf_made':
      return ptfMade(state, `${net.prefix}.joiner`, `${net.prefix}.trunk`, net.activation, net.context, input);
    case 'ptf_made_split':
      return sideBySide(
        ptfMade(state, `${net.prefix}.s_joiner`, `${net.prefix}.s_trunk`, net.s_act, net.context, input),
        ptfMade(state, `${net.prefix}.t_joiner`, `${net.prefix}.t_trunk`, net.t_act, net.context, input),
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
