// What the recipes of image flows share: options, fresh convolutions, and the data-dependent start of ActNorm.

import type { BaseDescription, ConvNetDescription, FlowDescription, LevelDescription, OpDescription } from '../../format/description.js';
import type { StoredTensor } from '../../format/safetensors.js';
import { ShapeError, ValueError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import { buildFlow } from '../build/flow.js';
import { imageBases, imageOps } from '../build/image.js';
import { check, checkContext, checkInteger } from '../checks.js';
import type { Flow } from '../flow.js';
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
  if (options.data !== undefined) await initializeActNorm(gpu, recipe, description, tensors, options.data, options.dataContext);
  return buildFlow(gpu, description, tensors, imageOps, imageBases);
}

/** Every string in a value: among them are the names of an op's tensors. */
const stringsIn = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];

/**
 * Sets log scale and shift of every ActNorm so that its output has mean 0 and deviation 1 in each channel on `data`: op after op, each on
 * what those before it make of the data, statistics in float64. Salimans and Kingma 2016, arXiv:1602.07868; Glow, section 3.1.
 *
 * @param tensors changed in place.
 */
async function initializeActNorm(
  gpu: Gpu,
  recipe: string,
  { features, context_features: contextDim, event_shape, structure }: FlowDescription,
  tensors: Map<string, StoredTensor>,
  data: Float32Array,
  context: Float32Array | undefined,
): Promise<void> {
  check(data instanceof Float32Array, `${recipe}: data`, 'a Float32Array', data);
  if (data.length === 0 || data.length % features !== 0)
    throw new ShapeError(`${recipe}: data`, `[n, ${features}], at least one row`, `${data.length} numbers`);
  const rows = data.length / features;
  checkContext(`${recipe}: dataContext`, context, contextDim, rows);
  let shape = event_shape;
  let values = data;
  for (const op of structure) {
    const norm = op.op === 'glow_block' ? op.actnorm : op.op === 'channel_actnorm' ? op : null;
    if (norm) {
      const { logScale, shift } = channelStatistics(values, rows, shape as unknown as Shape);
      if (![...logScale, ...shift].every(Number.isFinite))
        throw new ValueError(`${recipe}: data`, 'finite numbers', 'some that are not, or that overflow on their way');
      (tensors.get(norm.log_scale)!.data as Float32Array).set(logScale);
      (tensors.get(norm.shift)!.data as Float32Array).set(shift);
    }
    const names = stringsIn(op);
    const own = new Map([...tensors].filter(([name]) => names.some((part) => name === part || name.startsWith(`${part}.`))));
    const one = describe(shape, { contextDim, base: { type: 'standard_normal' }, structure: [op] });
    const flow = buildFlow(gpu, one, own, imageOps);
    try {
      ({ z: values } = await flow.forward(values, context && { context }));
    } finally {
      flow.dispose();
    }
    const [channels, height, width] = shape as unknown as Shape;
    if (op.op === 'squeeze') shape = [4 * channels, height / 2, width / 2];
    if (op.op === 'split_off') {
      shape = [channels / 2, height, width];
      const [all, half] = [channels * height * width, (channels * height * width) / 2];
      const kept = new Float32Array(rows * half);
      for (let row = 0; row < rows; row++) kept.set(values.subarray(row * all, row * all + half), row * half);
      values = kept;
    }
  }
}

/** Mean of each channel and log of its deviation, over rows and pixels, in float64. A constant channel counts as one of deviation 1e-6. */
function channelStatistics(
  values: Float32Array,
  rows: number,
  [channels, height, width]: Shape,
): { logScale: Float64Array; shift: Float64Array } {
  const area = height * width;
  const sumOver = (channel: number, term: (value: number) => number) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const at = (row * channels + channel) * area;
      for (let p = 0; p < area; p++) sum += term(values[at + p]!);
    }
    return sum / (rows * area);
  };
  const shift = Float64Array.from({ length: channels }, (_, channel) => sumOver(channel, (value) => value));
  const logScale = shift.map((mean, channel) => Math.log(Math.max(1e-6, Math.sqrt(sumOver(channel, (value) => (value - mean) ** 2)))));
  return { logScale, shift };
}
