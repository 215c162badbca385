import type { OpDescription } from '../../format/description.js';
import type { Gpu } from '../../runtime/gpu.js';
import { halvesOf, type ImageMask } from '../bijectors/image-coupling.js';
import { check } from '../checks.js';
import type { Flow } from '../flow.js';
import { buildImageFlow, type ImageOptions, resolveImageOptions, type Shape, writeActNorm, writeLevels, writeNet } from './image.js';
import { TensorWriter } from './initial.js';

export interface ImageRealNVPOptions extends ImageOptions {
  /** Bound of the log-scales: bound · tanh of the network's output. Default 2. */
  readonly scaleBound?: number;
}

/**
 * A fresh RealNVP over images: at each level but the last three couplings over a checkerboard, a squeeze, three over halves of the channels,
 * and a split; at the last, four over a checkerboard. An ActNorm of each channel comes before each coupling, where the paper has batch norm,
 * and the networks are plain convolutions. Dinh, Sohl-Dickstein, Bengio 2017, arXiv:1605.08803.
 *
 * ```ts
 * const flow = await imageRealNVP(gpu, { shape: [1, 28, 28], levels: 2, hidden: [64, 64], data: digits });
 * ```
 *
 * z holds the latents of level 0 (what remains at the end), 1, … (the first split last), each [C, H, W].
 *
 * @throws ValueError for an option out of range, a height or width that 2^(levels − 1) does not divide, or a single pixel at the last
 *   level; ShapeError for data that does not fit.
 */
export async function imageRealNVP(gpu: Gpu, options: ImageRealNVPOptions): Promise<Flow> {
  const { shape, levels, hidden, contextDim, seed } = resolveImageOptions('imageRealNVP', options, (count) => count - 1);
  const { scaleBound = 2 } = options;
  check(scaleBound > 0 && scaleBound <= 20, 'imageRealNVP: scaleBound', 'a number in (0, 20]', scaleBound);
  const smallest = (shape[1] * shape[2]) / 4 ** (levels - 1);
  check(smallest > 1, 'imageRealNVP: shape', `two pixels at the last of ${levels} levels, for its checkerboard`, shape);
  const writer = new TensorWriter(seed);
  const structure: OpDescription[] = [];
  const latents: Shape[] = [];
  let [channels, height, width] = shape;
  const couple = (prefix: string, masks: readonly ImageMask[]) => {
    for (const [index, mask] of masks.entries()) {
      const at = `${prefix}.${index}`;
      const { reads, moves } = halvesOf(mask, channels);
      structure.push({ op: 'channel_actnorm', ...writeActNorm(writer, `${at}.actnorm`, channels) });
      const net = writeNet(writer, `${at}.net`, { inputs: reads, hidden, outputs: 2 * moves, contextDim });
      const side = mask.replace('-', '_') as 'odd_pixels' | 'even_pixels' | 'last_channels' | 'first_channels';
      structure.push({ op: 'image_coupling', moves: side, conv_net: net, form: 'tanh', bound: scaleBound });
    }
  };
  for (let level = levels - 1; level > 0; level--) {
    couple(`levels.${level}.checkerboard`, ['odd-pixels', 'even-pixels', 'odd-pixels']);
    structure.push({ op: 'squeeze' });
    [channels, height, width] = [4 * channels, height / 2, width / 2];
    couple(`levels.${level}.channels`, ['last-channels', 'first-channels', 'last-channels']);
    channels /= 2;
    latents.unshift([channels, height, width]);
    structure.push({ op: 'split_off', level, latent_shape: [channels, height, width] });
  }
  couple('levels.0.checkerboard', ['odd-pixels', 'even-pixels', 'odd-pixels', 'even-pixels']);
  latents.unshift([channels, height, width]);
  structure.push({ op: 'final_latent', level: 0, latent_shape: [channels, height, width] });
  const base = { type: 'diag_normal', levels: writeLevels(writer, latents, 0) } as const;
  return buildImageFlow(gpu, 'imageRealNVP', options, { contextDim, base, structure, writer });
}
