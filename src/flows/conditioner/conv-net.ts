// A convolutional conditioner: a list of convolutions with zero padding, as data; packed once, and recorded on a part of an image.

import { conv2d } from '../../kernels/conv2d.js';
import { STRIP } from '../../kernels/linear-strips.js';
import type { Recorder } from '../../runtime/recorder.js';
import { type ConstantTensor, NONE, type TiledTensor } from '../../runtime/tensor.js';
import { identityOrder, type PackedLinear, packLinear, recordContextTerm } from './packing.js';

/** [channels, height, width]; feature (channel · height + row) · width + column. */
export type ImageShape = readonly [channels: number, height: number, width: number];

export interface ConvStage {
  readonly inputs: number;
  readonly outputs: number;
  /** Side of the kernel, odd. */
  readonly kernel: number;
  /** [outputs, inputs, kernel, kernel], row-major, as torch.nn.Conv2d stores it. */
  readonly weight: ArrayLike<number>;
  readonly bias: ArrayLike<number> | null;
  /** Slope of the activation below zero: 1 is none, 0 is relu. */
  readonly slope: number;
  /** [inputs], subtracted from the input; with kernel 1 alone. */
  readonly center?: ArrayLike<number>;
}

export interface ConvNet {
  readonly stages: readonly ConvStage[];
  /** Projection of the first `inputs` context features, added to every pixel of the first stage's output; row-major [outputs, inputs]. */
  readonly context: { readonly inputs: number; readonly weight: Float32Array; readonly bias: Float32Array | null } | null;
}

/** Which pixels of a checkerboard count; numbers as in shaders/conv2d.wgsl. */
export const PIXELS = { all: 0, even: 1, odd: 2 } as const;
export type Pixels = keyof typeof PIXELS;

/** Pixels of a height × width image whose row + column has the parity. */
export function countPixels(pixels: Pixels, height: number, width: number): number {
  const area = height * width;
  return pixels === 'all' ? area : pixels === 'even' ? Math.ceil(area / 2) : Math.floor(area / 2);
}

export interface PackedConv {
  readonly stage: ConvStage;
  readonly outputs: number;
  /** [ceil(outputs / 8), kernel, kernel, inputs, 8]. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** [8 ceil(outputs / 8)], then minus the center, where there is one. */
  readonly bias: Float32Array<ArrayBuffer>;
}

/** @param order source channel of each packed output. */
export function packConv(stage: ConvStage, order: ArrayLike<number>): PackedConv {
  const { inputs, kernel, center } = stage;
  const taps = kernel * kernel;
  const strips = Math.ceil(order.length / STRIP);
  const weight = new Float32Array(strips * taps * inputs * STRIP);
  const bias = new Float32Array(strips * STRIP + (center?.length ?? 0));
  for (let k = 0; center && k < inputs; k++) bias[strips * STRIP + k] = -center[k]!;
  for (const [packed, channel] of Array.from(order).entries()) {
    const strip = Math.floor(packed / STRIP);
    bias[packed] = stage.bias?.[channel] ?? 0;
    for (let tap = 0; tap < taps; tap++)
      for (let k = 0; k < inputs; k++)
        weight[((strip * taps + tap) * inputs + k) * STRIP + (packed % STRIP)] = stage.weight[(channel * inputs + k) * taps + tap]!;
  }
  return { stage, outputs: order.length, weight, bias };
}

/** Channels of a tensor that a convolution reads or writes. */
export interface ConvEnd {
  readonly tensor: TiledTensor;
  /** First feature. Default 0. */
  readonly at?: number;
  /** Features from a channel to the next, and from a pixel to the next. */
  readonly channel: number;
  readonly pixel: number;
  /** Default all. */
  readonly pixels?: Pixels;
}

export interface ConvCall {
  readonly label: string;
  readonly height: number;
  readonly width: number;
  /** Tiled [outputs, rows], added to every pixel. */
  readonly addend?: TiledTensor | null;
  /** Where the packed weight comes from, if it is computed from parameters. */
  readonly origin?: ConstantTensor['origin'];
}

/** The one place that records the kernel. */
export function recordConv(r: Recorder, packed: PackedConv, x: ConvEnd, y: ConvEnd, call: ConvCall): void {
  const { label, height, width, addend = null, origin } = call;
  const { inputs, kernel, slope } = packed.stage;
  r.run(conv2d, {
    buffers: {
      x: x.tensor,
      weight: r.constant(packed.weight, `weight ${label}`, origin),
      bias: r.constant(packed.bias, `bias ${label}`),
      addend: addend ?? NONE,
      y: y.tensor,
    },
    params: {
      inputs,
      outputs: packed.outputs,
      height,
      width,
      kernel,
      reads: PIXELS[x.pixels ?? 'all'],
      writes: PIXELS[y.pixels ?? 'all'],
      x_features: x.tensor.features,
      x_at: x.at ?? 0,
      x_channel: x.channel,
      x_pixel: x.pixel,
      y_features: y.tensor.features,
      y_at: y.at ?? 0,
      y_channel: y.channel,
      y_pixel: y.pixel,
      slope,
    },
    constants: { ADDEND: addend !== null, CENTER: packed.stage.center !== undefined },
  });
}

export interface ConvPlan {
  readonly stages: readonly PackedConv[];
  readonly context: PackedLinear | null;
}

/**
 * Packs a net whose last convolution gives `perChannel` parameters for each channel, channel after channel; the plan's outputs are
 * parameter after parameter, as transformers read them.
 */
export function planConvNet(net: ConvNet, perChannel: number): ConvPlan {
  const last = net.stages.length - 1;
  const stages = net.stages.map((stage, index) => {
    const channels = stage.outputs / perChannel;
    const order =
      index < last
        ? identityOrder(stage.outputs)
        : Uint32Array.from({ length: stage.outputs }, (_, o) => (o % channels) * perChannel + Math.floor(o / channels));
    return packConv(stage, order);
  });
  if (!net.context) return { stages, context: null };
  const { inputs, weight, bias } = net.context;
  const first = identityOrder(net.stages[0]!.outputs);
  return { stages, context: packLinear({ inputs, weight, bias, mask: null }, first, identityOrder(inputs)) };
}

/**
 * Records the net on channels of an image: parameters tiled [outputs · pixels, rows], pixels row by row within a channel.
 *
 * @param input the image, and the feature at which the channels that the net reads begin.
 * @param pixels which pixels are read, and for which of them there are parameters.
 */
export function recordConvNet(
  r: Recorder,
  plan: ConvPlan,
  input: { readonly tensor: TiledTensor; readonly at: number },
  [, height, width]: ImageShape,
  pixels: { readonly reads: Pixels; readonly writes: Pixels },
  context: TiledTensor | null,
): TiledTensor {
  const area = height * width;
  let x: ConvEnd = { ...input, channel: area, pixel: 1, pixels: pixels.reads };
  for (const [index, packed] of plan.stages.entries()) {
    const last = index === plan.stages.length - 1;
    const places = last ? countPixels(pixels.writes, height, width) : area;
    const tensor = r.tiled(packed.outputs * places, last ? 'parameters' : `hidden ${index}`);
    // Between two convolutions the channels of a pixel lie side by side: the sum over channels reads one run of memory.
    const y: ConvEnd = last
      ? { tensor, channel: places, pixel: 1, pixels: pixels.writes }
      : { tensor, channel: 1, pixel: packed.outputs, pixels: 'all' };
    const addend = index === 0 && plan.context ? recordContextTerm(r, plan.context, context) : null;
    recordConv(r, packed, x, y, { label: `${index}`, height, width, addend });
    x = y;
  }
  return x.tensor;
}
