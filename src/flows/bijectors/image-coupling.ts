import { PASSES } from '../../kernels/affine.js';
import { type ConvNet, countPixels, type ImageShape, planConvNet, recordConvNet } from '../conditioner/conv-net.js';
import type { Transformer } from '../transformers/transformer.js';
import { ConditionedMap } from './conditioned-map.js';

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
export class ImageCoupling extends ConditionedMap {
  /** @param net reads the channels of `halvesOf(mask)`; gives the transformer's parameters for each moved channel, channel after channel. */
  constructor(shape: ImageShape, net: ConvNet, transformer: Transformer, mask: ImageMask, name = 'image-coupling') {
    const [channels, height, width] = shape;
    const area = height * width;
    const { readsFrom, movesFrom, moves, readPixels, movedPixels } = halvesOf(mask, channels);
    const places = countPixels(movedPixels, height, width);
    const plan = planConvNet(net, transformer.parameters);
    const slot = new Uint32Array(channels * area).fill(PASSES);
    for (let channel = 0; channel < moves; channel++)
      for (let p = 0; p < area; p++) {
        const parity = (Math.floor(p / width) + (p % width)) % 2;
        if (movedPixels !== 'all' && parity !== (movedPixels === 'odd' ? 1 : 0)) continue;
        const place = movedPixels === 'all' ? p : Math.floor(p / 2); // as in shaders/conv2d.wgsl
        slot[(movesFrom + channel) * area + p] = channel * places + place;
      }
    const pixels = { reads: readPixels, writes: movedPixels };
    super(name, slot.length, net.context?.inputs ?? 0, transformer, { slot, slots: moves * places }, (r, value, context) =>
      recordConvNet(r, plan, { tensor: value, at: readsFrom * area }, shape, pixels, context),
    );
  }
}
