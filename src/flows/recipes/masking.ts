// Which features a coupling layer passes, and which it moves.

import { ValueError } from '../../runtime/errors.js';
import { shuffled, type TensorWriter } from './initial.js';

/**
 * Features that pass and feed the network; the others are moved. From layer to layer the two exchange their parts.
 *
 * 'alternating': features of even number; 'halves': the first D / 2; 'checkerboard': pixels with even row + column, in every channel; 'channels':
 * the first half of the channels; 'random': for each layer a half drawn by the seed, without exchange. Or masks, 1 for a feature that
 * passes: layer i takes mask i, from the first again after the last, without exchange.
 */
export type Masking = 'alternating' | 'halves' | 'checkerboard' | 'channels' | 'random' | readonly (readonly (0 | 1)[])[];

export interface MaskingOptions {
  /** Default 'alternating'. */
  readonly masking?: Masking;
  /** Shape [c, h, w] of an event, c h w = D: for 'checkerboard' and 'channels'. */
  readonly shape?: readonly [channels: number, height: number, width: number];
}

/** For each layer, whether each feature passes. @throws ValueError */
export function resolveMasking(
  recipe: string,
  { masking = 'alternating', shape }: MaskingOptions,
  dim: number,
  layers: number,
  writer: TensorWriter,
): boolean[][] {
  const place = `${recipe}: masking`;
  if (shape !== undefined) {
    const whole = Array.isArray(shape) && shape.length === 3 && shape.every((size) => Number.isInteger(size) && size > 0);
    if (!whole || shape.reduce((a, b) => a * b, 1) !== dim)
      throw new ValueError(`${recipe}: shape`, `[channels, height, width] with product ${dim}`, JSON.stringify(shape));
  }
  const passes = (): ((feature: number, layer: number) => boolean) => {
    const exchanged = (first: (feature: number) => boolean) => (feature: number, layer: number) => first(feature) === (layer % 2 === 0);
    if (typeof masking !== 'string') {
      if (!Array.isArray(masking) || masking.length === 0)
        throw new ValueError(place, 'a name or at least one mask', JSON.stringify(masking));
      for (const [index, mask] of masking.entries()) {
        if (!Array.isArray(mask) || mask.length !== dim || mask.some((entry) => entry !== 0 && entry !== 1))
          throw new ValueError(`${place}[${index}]`, `${dim} numbers, each 0 or 1`, JSON.stringify(mask));
      }
      return (feature, layer) => masking[layer % masking.length]![feature] === 1;
    }
    switch (masking) {
      case 'alternating':
        return exchanged((feature) => feature % 2 === 0);
      case 'halves':
        return exchanged((feature) => feature < Math.floor(dim / 2));
      case 'random': {
        const drawn = Array.from({ length: layers }, () => new Set(shuffled(writer, dim).slice(0, Math.floor(dim / 2))));
        return (feature, layer) => drawn[layer]!.has(feature);
      }
      case 'checkerboard':
      case 'channels': {
        if (shape === undefined) throw new ValueError(`${recipe}: shape`, `[channels, height, width] for ${masking} masks`, 'none');
        const [channels, height, width] = shape;
        if (masking === 'channels') return exchanged((feature) => feature < Math.floor(channels / 2) * height * width);
        return exchanged((feature) => ((Math.floor(feature / width) % height) + (feature % width)) % 2 === 0);
      }
      default:
        throw new ValueError(place, 'alternating, halves, checkerboard, channels, random or a list of masks', JSON.stringify(masking));
    }
  };
  const pass = passes();
  return Array.from({ length: layers }, (_, layer) => {
    const mask = Array.from({ length: dim }, (_, feature) => pass(feature, layer));
    if (mask.every((entry) => entry === mask[0]))
      throw new ValueError(
        typeof masking === 'string' ? place : `${place}[${layer % masking.length}]`,
        'features that pass and features that move in every layer',
        `a mask of ${dim} that ${mask[0] ? 'all pass' : 'all move'}`,
      );
    return mask;
  });
}
