import { PASSES } from '../../kernels/affine.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { type ConvNet, type ConvPlan, countPixels, type ImageShape, planConvNet, recordConvNet } from '../conditioner/conv-net.js';
import type { Transformer } from '../transformers/transformer.js';

/**
 * Which half of an image is moved by the other: the channels from `Math.ceil(C / 2)` on, those before them, or the pixels of a checkerboard
 * whose row + column is odd or even.
 */
export type ImageMask = 'last-channels' | 'first-channels' | 'odd-pixels' | 'even-pixels';

/** What the conditioner reads and what it gives parameters for. */
interface Halves {
  /** First channel read, and how many. */
  readonly readsFrom: number;
  readonly reads: number;
  /** First channel moved, and how many. */
  readonly movesFrom: number;
  readonly moves: number;
  readonly readPixels: 'all' | 'even' | 'odd';
  readonly movedPixels: 'all' | 'even' | 'odd';
}

export function halvesOf(mask: ImageMask, channels: number): Halves {
  const all = { readPixels: 'all', movedPixels: 'all' } as const;
  const first = Math.ceil(channels / 2);
  switch (mask) {
    case 'last-channels':
      return { readsFrom: 0, reads: first, movesFrom: first, moves: channels - first, ...all };
    case 'first-channels':
      return { readsFrom: first, reads: channels - first, movesFrom: 0, moves: first, ...all };
    default: {
      const [readPixels, movedPixels] = mask === 'odd-pixels' ? (['even', 'odd'] as const) : (['odd', 'even'] as const);
      return { readsFrom: 0, reads: channels, movesFrom: 0, moves: channels, readPixels, movedPixels };
    }
  }
}

/**
 * Half of an image passes; the other half is moved by a transformer whose parameters are a convolutional network of the half that passes,
 * and of the context. Both directions cost one pass of the network. Dinh et al. 2017, arXiv:1605.08803; Kingma and Dhariwal 2018,
 * arXiv:1807.03039.
 */
export class ImageCoupling implements Bijector {
  readonly name: string;
  readonly dim: number;
  readonly contextDim: number;
  readonly #shape: ImageShape;
  readonly #halves: Halves;
  readonly #plan: ConvPlan;
  readonly #transformer: Transformer;
  readonly #slot: Uint32Array<ArrayBuffer>;
  readonly #slots: number;

  /** @param net reads the channels of `halvesOf(mask)`; gives the transformer's parameters for each moved channel, channel after channel. */
  constructor(shape: ImageShape, net: ConvNet, transformer: Transformer, mask: ImageMask, name = 'image-coupling') {
    const [channels, height, width] = shape;
    const area = height * width;
    const halves = halvesOf(mask, channels);
    const places = countPixels(halves.movedPixels, height, width);
    this.name = name;
    this.dim = channels * area;
    this.contextDim = net.context?.inputs ?? 0;
    this.#shape = shape;
    this.#halves = halves;
    this.#plan = planConvNet(net, transformer.parameters);
    this.#transformer = transformer;
    this.#slots = halves.moves * places;
    this.#slot = new Uint32Array(this.dim).fill(PASSES);
    for (let channel = 0; channel < halves.moves; channel++)
      for (let p = 0; p < area; p++) {
        const parity = (Math.floor(p / width) + (p % width)) % 2;
        if (halves.movedPixels !== 'all' && parity !== (halves.movedPixels === 'odd' ? 1 : 0)) continue;
        const place = halves.movedPixels === 'all' ? p : Math.floor(p / 2); // as in shaders/conv2d.wgsl
        this.#slot[(halves.movesFrom + channel) * area + p] = channel * places + place;
      }
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, x, call, true);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, z, call, false);
  }

  #record(r: Recorder, value: TiledTensor, { logDet, context }: BijectorCall, forward: boolean): TiledTensor {
    const { readsFrom, readPixels, movedPixels } = this.#halves;
    const [, height, width] = this.#shape;
    const input = { tensor: value, at: readsFrom * height * width };
    const parameters = recordConvNet(r, this.#plan, input, this.#shape, { reads: readPixels, writes: movedPixels }, context);
    return this.#transformer.record(r, value, { parameters, slot: this.#slot, slots: this.#slots, forward, logDet });
  }
}
