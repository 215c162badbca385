import type { OpDescription } from '../../format/description.js';
import type { Gpu } from '../../runtime/gpu.js';
import { autoregressiveOps } from '../build/autoregressive.js';
import { elementwiseOps } from '../build/elementwise.js';
import type { Flow } from '../flow.js';
import { buildFresh, type RecipeOptions, resolveOptions, TensorWriter } from './initial.js';

export interface AutoregressiveOptions extends RecipeOptions {
  /** Order of the features from layer to layer: reversed each time, or drawn at random. Default 'reverse'. */
  readonly order?: 'reverse' | 'random';
  /** Batch norm with running statistics between layers; they start at mean 0 and variance 1. Default false. */
  readonly batchNorm?: boolean;
}

/**
 * A MADE with degrees 1 … D − 1 in turn over the hidden units; writes its tensors and returns the names of its layers. With a context,
 * degree 0 too: units that read the context alone, without which the first feature would not depend on it.
 */
function writeMade(writer: TensorWriter, prefix: string, dim: number, hidden: readonly number[], contextDim: number): string[] {
  const lowest = contextDim > 0 ? 0 : Math.min(1, dim - 1);
  const names: string[] = [];
  let degrees = Array.from({ length: dim }, (_, i) => i + 1);
  for (const [index, width] of [...hidden, 2 * dim].entries()) {
    const name = `${prefix}.${index}`;
    const output = index === hidden.length;
    const own = Array.from({ length: width }, (_, i) => (output ? (i % dim) + 1 : (i % Math.max(1, dim - lowest)) + lowest));
    writer.linear(name, degrees.length, width);
    const before = degrees;
    writer.mask(name, width, degrees.length, (o, i) => (output ? own[o]! > before[i]! : own[o]! >= before[i]!));
    degrees = own;
    names.push(name);
  }
  return names;
}

function shuffled(writer: TensorWriter, dim: number): number[] {
  const order = Array.from({ length: dim }, (_, i) => i);
  for (let i = dim - 1; i > 0; i--) {
    const j = Math.floor(writer.uniform() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

async function build(gpu: Gpu, recipe: 'maf' | 'iaf', options: AutoregressiveOptions): Promise<Flow> {
  const { dim, layers, hidden, contextDim, seed } = resolveOptions(recipe, options);
  const writer = new TensorWriter(seed);
  const structure: OpDescription[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `layers.${layer}`;
    if (layer > 0 || options.order === 'random') {
      const perm = options.order === 'random' ? shuffled(writer, dim) : Array.from({ length: dim }, (_, i) => dim - 1 - i);
      structure.push({ op: 'permute', perm });
    }
    const linears = writeMade(writer, `${prefix}.net`, dim, hidden, contextDim);
    if (contextDim > 0) writer.linear(`${prefix}.context_proj`, contextDim, hidden[0]!);
    const net = {
      type: 'masked_mlp',
      linears,
      activation: 'relu',
      context_proj: contextDim > 0 ? `${prefix}.context_proj` : null,
    } as const;
    structure.push({ op: recipe === 'maf' ? 'ar_affine' : 'iaf_affine', form: 'mu_s', net });
    if (options.batchNorm) {
      const norm = `${prefix}.norm`;
      writer.filled(`${norm}.running_mean`, [dim], 0);
      writer.filled(`${norm}.running_var`, [dim], 1);
      writer.filled(`${norm}.log_gamma`, [dim], 0);
      writer.filled(`${norm}.beta`, [dim], 0);
      structure.push({
        op: 'batchnorm',
        mean: `${norm}.running_mean`,
        var: `${norm}.running_var`,
        eps: 1e-5,
        gamma: `${norm}.log_gamma`,
        gamma_map: 'exp',
        beta: `${norm}.beta`,
      });
    }
  }
  return buildFresh(gpu, { dim, contextDim }, structure, writer, { ...elementwiseOps, ...autoregressiveOps });
}

/**
 * A fresh masked autoregressive flow: density in one parallel pass, sampling feature by feature at the cost of about one pass.
 * Papamakarios et al. 2017, arXiv:1705.07057.
 *
 * ```ts
 * const flow = await maf(gpu, { dim: 6, layers: 5, hidden: [128, 128], seed: 1 });
 * const x = await flow.sample(1000, { seed: 7 }); // [1000, 6]
 * ```
 *
 * @throws ValueError for an option out of range.
 */
export const maf = (gpu: Gpu, options: AutoregressiveOptions): Promise<Flow> => build(gpu, 'maf', options);

/** A fresh inverse autoregressive flow: sampling in one parallel pass. Kingma et al. 2016, arXiv:1606.04934. @throws ValueError */
export const iaf = (gpu: Gpu, options: AutoregressiveOptions): Promise<Flow> => build(gpu, 'iaf', options);
