// What the recipes of image flows share: options, fresh convolutions, and the data-dependent start of ActNorm.

import type { BaseDescription, ConvNetDescription, LevelDescription, OpDescription } from '../../format/description.js';
import type { Gpu } from '../../runtime/gpu.js';
import { buildFlow } from '../build/flow.js';
import { imageBases, imageOps } from '../build/image.js';
import { check, checkContext, checkInteger, checkRows } from '../checks.js';
import { type Flow, ownFlow } from '../flow.js';
import { describe, type RecipeOptions, resolveNets, type TensorWriter } from './initial.js';

export type Shape = readonly [channels: number, height: number, width: number];

export interface ImageOptions extends Pick<RecipeOptions, 'seed'> {
  /** [channels, height, width]. An image is one row of C · H · W numbers: channel by channel, row by row. */
  readonly shape: Shape;
  /** Scales of the multi-scale architecture. Default 2. */
  readonly levels?: number;
  /** Channels of the hidden layers of each network: 3×3, then 1×1 between, and 3×3 at the end. Default [64, 64]. */
  readonly hidden?: readonly number[];
  /** C: features of the context, which each network sees at every pixel. Default 0. */
  readonly contextDim?: number;
  /** Images [n, C · H · W] from which each ActNorm takes its start: outputs of mean 0 and deviation 1 a channel. Default: the identity. */
  readonly data?: Float32Array;
  /** Context of `data`: [n, contextDim of the flow], or one row for all. */
  readonly dataContext?: Float32Array;
}

export interface ResolvedImageOptions {
  readonly shape: Shape;
  readonly levels: number;
  readonly hidden: readonly number[];
  readonly contextDim: number;
  readonly seed: number;
}

/** Fills defaults in and checks them. @param halvings times that height and width are halved. @throws ValueError */
export function resolveImageOptions(recipe: string, options: ImageOptions, halvings: (levels: number) => number): ResolvedImageOptions {
  const { shape, levels = 2 } = options;
  check(Array.isArray(shape) && shape.length === 3, `${recipe}: shape`, '[channels, height, width]', shape);
  for (const [index, size] of shape.entries()) checkInteger(`${recipe}: shape[${index}]`, size, 1);
  checkInteger(`${recipe}: levels`, levels, 1);
  const divisor = 2 ** halvings(levels);
  const fits = shape.every((size, axis) => axis === 0 || size % divisor === 0);
  check(fits, `${recipe}: shape`, `height and width that ${divisor} divides, for ${levels} levels`, shape);
  return { shape, levels, ...resolveNets(recipe, options) };
}

/** Writes a fresh network: hidden layers as torch.nn.Conv2d draws them, the last one zero, so that what it parameterises starts constant. */
export function writeNet(
  writer: TensorWriter,
  prefix: string,
  net: { readonly inputs: number; readonly hidden: readonly number[]; readonly outputs: number; readonly contextDim: number },
): ConvNetDescription {
  const widths = [net.inputs, ...net.hidden, net.outputs];
  const last = widths.length - 2;
  const kernel = widths.slice(1).map((_, index) => (index === 0 || index === last ? 3 : 1));
  const convs = kernel.map((side, index) => {
    const name = `${prefix}.${index}`;
    const [inputs, outputs] = [widths[index]!, widths[index + 1]!];
    const bound = index === last ? 0 : 1 / Math.sqrt(inputs * side * side);
    writer.float(`${name}.weight`, [outputs, inputs, side, side], writer.draws(outputs * inputs * side * side, bound));
    writer.float(`${name}.bias`, [outputs], writer.draws(outputs, bound));
    return name;
  });
  if (net.contextDim === 0) return { convs, kernel, leaky: 0 };
  writer.linear(`${prefix}.context`, net.contextDim, widths[1]!);
  return { convs, kernel, leaky: 0, context_proj: `${prefix}.context` };
}

/** Writes an ActNorm of the identity, one pair of numbers a channel. */
export const writeActNorm = (writer: TensorWriter, prefix: string, channels: number) => writer.actNorm(prefix, [1, channels, 1, 1]);

/** Writes a standard normal for each latent, level 0 first; one for each class where there are classes. */
export function writeLevels(writer: TensorWriter, shapes: readonly Shape[], classes: number): LevelDescription[] {
  return shapes.map((shape, level) => {
    const names = { loc: `base.${level}.loc`, log_scale: `base.${level}.log_scale` };
    for (const name of Object.values(names)) writer.filled(name, classes > 0 ? [...shape, classes] : [1, ...shape], 0);
    return { ...names, shape: [...shape] };
  });
}

/** Builds a fresh image flow, after each ActNorm has seen the data. @throws ValueError, ShapeError for data that does not fit. */
export async function buildImageFlow(
  gpu: Gpu,
  recipe: string,
  options: ImageOptions,
  parts: {
    readonly contextDim: number;
    readonly base: BaseDescription;
    readonly structure: OpDescription[];
    readonly writer: TensorWriter;
  },
): Promise<Flow> {
  const { tensors } = parts.writer;
  const description = describe(options.shape, parts);
  const flow = buildFlow(gpu, description, tensors, imageOps, imageBases);
  if (options.data !== undefined) {
    const rows = checkRows(`${recipe}: data`, options.data, flow.dim);
    check(rows > 0, `${recipe}: data`, 'at least one row', '0 rows');
    checkContext(`${recipe}: dataContext`, options.dataContext, parts.contextDim, rows);
    const { initialise } = await import('../../training/reverse.js');
    await initialise(ownFlow(recipe, flow), `${recipe}: data`, options.data, options.dataContext);
  }
  return flow;
}
