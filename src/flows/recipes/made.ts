// Fresh masked networks: MADE with its degrees (Germain et al. 2015, arXiv:1502.03509), plain or with residual blocks, and the three ways
// in which a context meets them.

import type { Activation, NetDescription } from '../../format/description.js';
import { check, checkOneOf } from '../checks.js';
import { checkActivation, type TensorWriter } from './initial.js';

export interface MadeOptions {
  /**
   * Degrees of the hidden units: 1 … D − 1 in turn, or drawn by the seed from the least degree of the layer before up to D − 1. With `residual`
   * every layer has the degrees of the first, which the skip connections need. Default 'sequential'.
   */
  readonly degrees?: 'sequential' | 'random';
  /** Residual blocks: hidden [w, w, w] is a first layer and two blocks h + linear(act(linear(act(h)))), all of one width. Default false. */
  readonly residual?: boolean;
  /** Default 'relu'. */
  readonly activation?: Activation;
  /**
   * How the context enters. 'add': projected and added to the first hidden layer, and, with `residual`, inside each block, as nflows does.
   * 'concat': beside x in the first layer, as zuko does; with `residual` it also gates each block, as nflows' ResidualNet does. 'gate', with `residual`
   * alone: added to the first layer, and through a sigmoid a factor of each block, as normflows does. Default 'add'.
   */
  readonly contextMode?: 'add' | 'concat' | 'gate';
}

export interface MadeShape extends Required<MadeOptions> {
  readonly dim: number;
  readonly hidden: readonly number[];
  readonly contextDim: number;
  /** Outputs in all. */
  readonly outputs: number;
  /** Feature whose transformer an output parameterises. */
  readonly featureOf: (output: number) => number;
}

/** Fills defaults in. @throws ValueError */
export function resolveMade(recipe: string, options: MadeOptions, hidden: readonly number[]): Required<MadeOptions> {
  const { degrees = 'sequential', residual = false, activation = 'relu', contextMode = 'add' } = options;
  checkOneOf(`${recipe}: degrees`, degrees, ['sequential', 'random']);
  checkOneOf(`${recipe}: contextMode`, contextMode, ['add', 'concat', 'gate']);
  const equal = hidden.every((width) => width === hidden[0]);
  check(!residual || equal, `${recipe}: hidden`, 'equal widths with residual, since blocks are added to what they read', hidden);
  const gated = "'add' or 'concat' without residual blocks, which are what a gate multiplies";
  check(residual || contextMode !== 'gate', `${recipe}: contextMode`, gated, contextMode);
  return { degrees, residual, activation: checkActivation(recipe, activation), contextMode };
}

/** Writes the tensors of one network under `prefix` and returns its description. */
export function writeMade(writer: TensorWriter, prefix: string, shape: MadeShape): NetDescription {
  const { dim, hidden, contextDim, residual, activation, contextMode } = shape;
  const contextual = contextDim > 0;
  const concatenated = contextual && contextMode === 'concat' ? contextDim : 0;
  const inputs = Array.from({ length: dim }, (_, i) => i + 1);

  /** A masked layer; `extra` columns of context stay open. */
  const layer = (name: string, before: readonly number[], own: readonly number[], strict = false, extra = 0) => {
    writer.linear(name, before.length + extra, own.length);
    writer.mask(name, own.length, before.length + extra, (o, i) => {
      const degree = before[i];
      return degree === undefined || (strict ? own[o]! > degree : own[o]! >= degree);
    });
  };
  const degreesOf = (width: number, before: readonly number[]) => {
    // With a context, units of degree 0 read it alone: without them the first feature would not depend on it.
    const lowest = contextual ? 0 : Math.min(1, dim - 1);
    const [least, most] = [contextual && before === inputs ? 0 : Math.min(dim - 1, ...before), dim - 1];
    if (shape.degrees === 'random' && dim > 1)
      return Array.from({ length: width }, () => least + Math.floor(writer.uniform() * (most - least + 1)));
    return Array.from({ length: width }, (_, i) => (i % Math.max(1, dim - lowest)) + lowest);
  };
  const outputDegrees = Array.from({ length: shape.outputs }, (_, o) => inputs[shape.featureOf(o)]!);

  if (!residual) {
    const net = `${prefix}.net`;
    const linears: string[] = [];
    let degrees = inputs;
    for (const [index, width] of [...hidden, shape.outputs].entries()) {
      const name = `${net}.${index}`;
      const output = index === hidden.length;
      const own = output ? outputDegrees : degreesOf(width, degrees);
      layer(name, degrees, own, output, index === 0 ? concatenated : 0);
      degrees = own;
      linears.push(name);
    }
    if (concatenated > 0) return { type: 'zuko_mlp', linears, activation, context_concat: true };
    if (contextual) writer.linear(`${prefix}.context_proj`, contextDim, hidden[0]!);
    return { type: 'masked_mlp', linears, activation, context_proj: contextual ? `${prefix}.context_proj` : null };
  }

  const net = `${prefix}.net`;
  const blocks = hidden.length - 1;
  const degrees = degreesOf(hidden[0]!, inputs);
  layer(`${net}.initial_layer`, inputs, degrees, false, concatenated);
  if (contextual && concatenated === 0) writer.linear(`${net}.context_layer`, contextDim, degrees.length);
  for (let block = 0; block < blocks; block++) {
    const at = `${net}.blocks.${block}`;
    if (contextual) writer.linear(`${at}.context_layer`, contextDim, degrees.length);
    layer(`${at}.linear_layers.0`, degrees, degrees);
    layer(`${at}.linear_layers.1`, degrees, degrees);
  }
  layer(`${net}.final_layer`, degrees, outputDegrees, true);
  const common = { prefix: net, blocks, activation } as const;
  if (concatenated > 0) return { type: 'nflows_resnet', ...common, batch_norm: false, context: true };
  if (contextual && contextMode === 'gate') return { type: 'normflows_made', ...common };
  return { type: 'nflows_made', ...common, residual: true, batch_norm: false, context: contextual };
}
