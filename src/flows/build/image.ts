// Ops on images, and the base of the classes of a conditional Glow.

import type { ConvNetDescription } from '../../format/description.js';
import { needs } from '../../format/needs.js';
import { classNormal } from '../bases/conditional-normal.js';
import { Chain, Inverse } from '../bijectors/chain.js';
import { ChannelLinear } from '../bijectors/channel-linear.js';
import { DiagonalAffine } from '../bijectors/diagonal-affine.js';
import { halvesOf, ImageCoupling, type ImageMask } from '../bijectors/image-coupling.js';
import { squeeze } from '../bijectors/squeeze.js';
import type { ConvNet, ImageShape } from '../conditioner/conv-net.js';
import { type AffineSettings, AffineTransformer } from '../transformers/affine.js';
import type { BaseBuilders, BuildContext, OpBuilders, OpOf } from './op.js';
import { scaleOf } from './scale.js';

/** @throws FormatError where what enters is no image. */
function imageShape({ shape, place }: BuildContext): ImageShape {
  const [channels, height, width] = shape;
  const image = shape.length === 3 && shape.every((size) => size > 0);
  needs(image, place, 'an image: event_shape [channels, height, width]', shape);
  return [channels!, height!, width!];
}

/** @throws FormatError where a convolution does not fit what the coupling reads and moves. */
function readNet(context: BuildContext, net: ConvNetDescription, inputs: number, outputs: number): ConvNet {
  const { state, contextDim, place } = context;
  const { convs, kernel, leaky } = net;
  const odd = kernel.length === convs.length && kernel.every((side) => side % 2 === 1);
  needs(odd, place, `an odd kernel size for each of ${convs.length} convolutions`, kernel);
  let channels = inputs;
  const stages = convs.map((name, index) => {
    const [side, last] = [kernel[index]!, index === convs.length - 1];
    const wide = last ? outputs : (state.shapeOf(`${name}.weight`)[0] ?? 0);
    const stage = {
      inputs: channels,
      outputs: wide,
      kernel: side,
      weight: state.parameter(`${name}.weight`, [wide, channels, side, side]),
      bias: state.optional(`${name}.bias`, [wide]),
      slope: last ? 1 : leaky,
    };
    channels = wide;
    return stage;
  });
  if (!net.context_proj) return { stages, context: null };
  const read = state.shapeOf(`${net.context_proj}.weight`)[1] ?? 0;
  needs(read <= contextDim, `${net.context_proj}.weight`, `at most the ${contextDim} context_features of the description`, read);
  const first = stages[0]!.outputs;
  const weight = state.parameter(`${net.context_proj}.weight`, [first, read]);
  const bias = state.optional(`${net.context_proj}.bias`, [first]);
  return { stages, context: { inputs: read, weight, bias } };
}

function coupling(context: BuildContext, net: ConvNetDescription, settings: AffineSettings, mask: ImageMask, name?: string): ImageCoupling {
  const shape = imageShape(context);
  const [channels, height, width] = shape;
  const { reads, moves, movedPixels } = halvesOf(mask, channels);
  needs(reads > 0 && moves > 0, context.place, 'at least 2 channels to split', 1);
  needs(movedPixels === 'all' || height * width > 1, context.place, 'at least 2 pixels for a checkerboard', 1);
  const transformer = new AffineTransformer(settings);
  return new ImageCoupling(shape, readNet(context, net, reads, transformer.parameters * moves), transformer, mask, name);
}

/** A 1×1 convolution, with an ActNorm before it. */
function readMixing(
  { state }: BuildContext,
  shape: ImageShape,
  { prefix, factored }: { readonly prefix: string; readonly factored: boolean },
  [logScale, shift]: readonly [Float32Array, Float32Array] = [new Float32Array(shape[0]), new Float32Array(shape[0])],
): ChannelLinear {
  const [channels, height, width] = shape;
  const square = [channels, channels];
  const filled = (entry: (i: number, j: number, at: number) => number) =>
    Float64Array.from({ length: channels * channels }, (_, at) => entry(Math.floor(at / channels), at % channels, at));
  const product = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    const c = new Float64Array(channels * channels);
    for (let i = 0; i < channels; i++)
      for (let k = 0; k < channels; k++) {
        const factor = a[i * channels + k]!;
        if (factor !== 0) for (let j = 0; j < channels; j++) c[i * channels + j]! += factor * b[k * channels + j]!;
      }
    return c;
  };
  // A matrix, or P L, before the upper triangle U with the logarithms of the diagonal's sizes on it; shaders/channel-matrix-backward.wgsl.
  let left: ArrayLike<number>;
  let right = new Float64Array(channels * channels);
  let sign: Float32Array = new Float32Array(channels).fill(1);
  if (factored) {
    const permutation = state.buffer(`${prefix}.P`, square);
    const lower = state.parameter(`${prefix}.L`, square);
    const upper = state.parameter(`${prefix}.U`, square);
    const logDiagonal = state.parameter(`${prefix}.log_S`, [channels]);
    sign = state.buffer(`${prefix}.sign_S`, [channels]);
    if (state.has(`${prefix}.eye`)) state.buffer(`${prefix}.eye`, square);
    left = product(
      permutation,
      filled((i, j, at) => (i === j ? 1 : i > j ? lower[at]! : 0)),
    );
    right = filled((i, j, at) => (i === j ? logDiagonal[i]! : i < j ? upper[at]! : 0));
  } else left = state.parameter(`${prefix}.W`, square);
  const matrix = product(
    left,
    filled((i, j, at) => (i === j ? sign[i]! * Math.exp(right[at]!) : right[at]!) * Math.exp(-logScale[j]!)),
  );
  const entries = Float32Array.from([...Array.from(left), ...right, ...logScale, ...sign]);
  const inputs = { entries, ...(!factored && { matrix: entries.slice(0, right.length) }) };
  const origin = { kind: 'channel matrix', inputs, settings: { channels, pixels: height * width } };
  return new ChannelLinear(shape, matrix, shift, origin, !state.holdsPlaces);
}

/** log scale and shift of z = (x − shift) e^−scale, one of each a channel. */
function readActNorm({ state }: BuildContext, names: { log_scale: string; shift: string }, channels: number): [Float32Array, Float32Array] {
  const shape = [1, channels, 1, 1];
  return [state.parameter(names.log_scale, shape), state.parameter(names.shift, shape)];
}

/** Scale of `glow_block`, from noise to data: x = a z + shift. */
const SCALE_MAPS: Record<OpOf<'glow_block'>['coupling']['scale_map'], AffineSettings> = {
  exp: { scale: 'exp', dividesForward: true },
  sigmoid: { scale: 'reciprocal-sigmoid', offset: 2, dividesForward: true },
  sigmoid_inv: { scale: 'sigmoid', offset: 2, dividesForward: true },
  additive: { scale: 'none', dividesForward: true },
};

/** @throws FormatError where the latent is not of the shape that the description says. */
const checkLatent = ({ place }: BuildContext, said: readonly number[], latent: ImageShape): void =>
  needs(said.join() === latent.join(), `${place}.latent_shape`, `[${latent.join(', ')}], what is there at this op`, said);

export const imageOps = {
  glow_block(op, context) {
    const shape = imageShape(context);
    const conv = { prefix: op.conv1x1, factored: op.use_lu };
    const mixing = readMixing(context, shape, conv, readActNorm(context, op.actnorm, shape[0]));
    const mask = op.coupling.split_mode === 'channel' ? 'last-channels' : 'first-channels';
    const moved = coupling(context, op.coupling, SCALE_MAPS[op.coupling.scale_map], mask);
    return new Chain(context.inputs, [mixing, moved], 'glow-block');
  },

  channel_actnorm(op, context) {
    const [channels, height, width] = imageShape(context);
    const [logScale, shift] = readActNorm(context, op, channels);
    const everywhere = (values: Float32Array) =>
      Float64Array.from({ length: context.inputs }, (_, f) => values[Math.floor(f / (height * width))]!);
    return new DiagonalAffine('actnorm', {
      center: everywhere(shift),
      logScale: { raw: everywhere(logScale).map((value) => -value) },
      shift: new Float32Array(context.inputs),
    });
  },

  conv1x1: (op, context) => readMixing(context, imageShape(context), { prefix: op.prefix, factored: op.use_lu }),

  image_coupling(op, context) {
    return coupling(context, op.conv_net, scaleOf(op, context.place), op.moves.replace('_', '-') as ImageMask);
  },

  squeeze(_, context) {
    const shape = imageShape(context);
    const [channels, height, width] = shape;
    needs(height % 2 === 0 && width % 2 === 0, context.place, 'an even height and width', shape);
    context.reshape([4 * channels, height / 2, width / 2]);
    return squeeze(shape);
  },

  unsqueeze(_, context) {
    const [channels, height, width] = imageShape(context);
    needs(channels % 4 === 0, context.place, 'a multiple of 4 channels', channels);
    const larger: ImageShape = [channels / 4, 2 * height, 2 * width];
    context.reshape(larger);
    return new Inverse(squeeze(larger));
  },

  split_off(op, context) {
    const [channels, height, width] = imageShape(context);
    needs(channels % 2 === 0, context.place, 'an even number of channels', channels);
    const half: ImageShape = [channels / 2, height, width];
    checkLatent(context, op.latent_shape, half);
    // The latent z = (x2 − mean(x1)) e^−s(x1), (mean, s) a network of the half that goes on: its Gaussian given that half, whitened.
    const bijector = op.prior
      ? coupling(context, op.prior, SCALE_MAPS.exp, 'last-channels', 'split-prior')
      : new Chain(context.inputs, [], 'split');
    context.reshape(half);
    return bijector;
  },

  final_latent(op, context) {
    checkLatent(context, op.latent_shape, imageShape(context));
    return new Chain(context.inputs, [], 'latent');
  },
} satisfies OpBuilders;

export const imageBases = {
  class_cond_diag_normal({ levels, label = 0 }, { dim, state }) {
    const classes = state.shapeOf(levels[0]!.loc).at(-1) ?? 0;
    // Stored [C, H, W, classes]; wanted class by class, all means and then all log-scales, level after level.
    const table = new Float32Array(2 * classes * dim);
    let at = 0;
    for (const key of ['loc', 'log_scale'] as const)
      for (const level of levels) {
        const stored = state.parameter(level[key], [...level.shape, classes]);
        for (const [i, value] of stored.entries()) table[(i % classes) * 2 * dim + at + Math.floor(i / classes)] = value;
        at += stored.length / classes;
      }
    return classNormal(dim, table, label);
  },
} satisfies BaseBuilders;
